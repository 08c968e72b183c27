"""A turn's answer on its way to the caller while it is written."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from shared.errors import RedisUnavailable
from shared.messages.events import Event, ResponseRestarted, encode_event
from shared.messages.item import ReasoningItem
from shared.messages.output import OutputItem, TokenLogprob
from shared.messages.record import MessageRecord
from shared.replies.event_sequence import OutputEvents, beginning
from shared.replies.reply_stream import ReplyStream
from shared.telemetry.logs import get_logger
from workers.turn import Turn


def turn_begun(turn: Turn) -> list[Event]:
    """Says that the turn has begun; says it again when an earlier attempt had streamed already."""
    begun = beginning(turn.record, turn.body)
    if turn.record.attempt > 1:
        return [ResponseRestarted(turn.record.id, "the worker before was lost"), begun]
    return [begun]


async def send_events(replies: ReplyStream, record: MessageRecord, events: Sequence[Event]) -> None:
    """Redis away costs the caller the live events and never the answer."""
    if not events:
        return
    try:
        encoded = [encode_event(event) for event in events]
        await replies.append(record.id, record.attempt, encoded)
    except RedisUnavailable:
        get_logger(__name__).warning("stream_event_lost", events=len(events))


class AnswerStream:
    """Sends deltas as events; those that come within `interval_seconds` travel as one.

    Redis away costs the caller the live text and never the answer: it is in the closing event.
    """

    def __init__(
        self,
        turn: Turn,
        replies: ReplyStream,
        *,
        interval_seconds: float,
        opening: Sequence[OutputItem] = (),
    ) -> None:
        """`opening` is whole before the answer begins: each attempt is told behind it."""
        self._record: MessageRecord = turn.record
        self._turn = turn
        self._replies = replies
        self._interval_seconds = interval_seconds
        self._output = OutputEvents(turn.record.id)
        self._opening = opening
        self._pending: list[str] = []
        self._pending_logprobs: list[TokenLogprob] = []
        self._sender: asyncio.Task[None] | None = None
        self._hurry = asyncio.Event()

    async def begin(self) -> None:
        """Say that the turn has begun and what its answer opens with, as far as the stream has
        not been told while that was made."""
        opening, search = self._open(), self._turn.search
        if search is None or not search.is_told:
            await self._send([*turn_begun(self._turn), *opening])

    async def write(self, delta: str, logprobs: Sequence[TokenLogprob] = ()) -> None:
        """Take one piece of text and its tokens; it leaves soon, together with its neighbours."""
        self._pending.append(delta)
        self._pending_logprobs += logprobs
        if self._sender is None or self._sender.done():
            self._sender = asyncio.create_task(self._send_soon())

    async def restart(self) -> None:
        """Take back what was said: another attempt begins from the start."""
        await self.abandon()
        self._output = OutputEvents(self._record.id)
        restarted = ResponseRestarted(self._record.id, "another attempt answers")
        await self._send([restarted, *self._open()])

    async def think(self, thought: ReasoningItem) -> None:
        """Send what the model thought before it writes."""
        await self._send(self._output.think(thought))

    async def finish(self, output: Sequence[OutputItem]) -> None:
        """Send what is left of the output, and the events that close it."""
        await self._settle_sender()
        await self._send([*self._delta_events(), *self._output.close(output)])

    async def abandon(self) -> None:
        """Say nothing more of what was written and not sent yet."""
        self._pending.clear()
        self._pending_logprobs.clear()
        await self._settle_sender()

    def _open(self) -> list[Event]:
        return [event for item in self._opening for event in self._output.tell(item)]

    async def _send_soon(self) -> None:
        while self._pending:
            await self._send(self._delta_events())
            with suppress(TimeoutError):
                async with asyncio.timeout(self._interval_seconds):
                    await self._hurry.wait()

    def _delta_events(self) -> list[Event]:
        if not self._pending:
            return []
        piece, logprobs = "".join(self._pending), self._pending_logprobs
        self._pending.clear()
        self._pending_logprobs = []
        return self._output.write(piece, logprobs)

    async def _settle_sender(self) -> None:
        # Waited for and not cancelled: what it has on its way must arrive before what comes next.
        if self._sender is not None:
            self._hurry.set()
            await asyncio.gather(self._sender, return_exceptions=True)
            self._hurry.clear()
            self._sender = None

    async def _send(self, events: list[Event]) -> None:
        await send_events(self._replies, self._record, events)
