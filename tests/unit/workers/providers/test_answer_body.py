"""What the body of an answer is, is known early."""

from __future__ import annotations

from typing import Any

from workers.providers.wire.exchange import AnswerBody, CallClock
from workers.providers.wire.timeouts import Timeouts

_PIECES = 1_000


class BlankLines:
    """A megabyte of them, in small pieces, and then no more."""

    def __init__(self) -> None:
        self.reads = 0
        self.has_ended = False
        self.headers = {"Content-Type": "text/event-stream; charset=utf-8"}

    def read(self) -> bytes:
        self.reads += 1
        self.has_ended = self.reads > _PIECES
        return b"" if self.has_ended else b"\n" * 1_000


async def test_a_body_that_begins_blank_is_not_gone_through_again_for_each_piece() -> None:
    lines, clock = BlankLines(), CallClock(Timeouts(), time_left_seconds=60)
    connection: Any = lines
    body = AnswerBody(connection, clock, provider="m")

    assert await body.is_stream()
    assert lines.reads < _PIECES / 10
    assert await body.next_events() == []
    clock.close()
