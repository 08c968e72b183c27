"""What the body of an answer is, is known early."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from workers.providers.wire.exchange import AnswerBody
from workers.providers.wire.timeouts import CallClock, Timeouts

_PIECES = 1_000


class BlankLines:
    """A megabyte of them, in small pieces."""

    def __init__(self) -> None:
        self.reads = 0

    async def readany(self) -> bytes:
        self.reads += 1
        return b"\n" * 1_000 if self.reads <= _PIECES else b""


async def test_a_body_that_begins_blank_is_not_gone_through_again_for_each_piece() -> None:
    lines, clock = BlankLines(), CallClock(Timeouts())
    response: Any = SimpleNamespace(content=lines, content_type="text/event-stream")
    body = AnswerBody(response, clock, provider="m")

    assert await body.is_stream()
    assert lines.reads < _PIECES / 10
    assert await body.next_events() == []
    clock.close()
