"""A turn's text on its way to the caller while it is written."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from shared.errors import RedisUnavailable
from shared.messages.events import Event, ResponseRestarted, encode_event
from shared.messages.record import MessageRecord
from shared.messages.response import output_message, output_message_id
from shared.replies.event_sequence import TextEvents, beginning
from shared.replies.reply_stream import ReplyStream
from shared.telemetry.logs import get_logger
from workers.turn import Turn


class TextStream:
    """Sends deltas as events; those that come within `interval_seconds` travel as one.

    Redis away costs the caller the live text and never the answer: it is in the closing event.
    """

    def __init__(self, turn: Turn, replies: ReplyStream, *, interval_seconds: float) -> None:
        self._record: MessageRecord = turn.record
        self._turn = turn
        self._replies = replies
        self._interval_seconds = interval_seconds
        self._text = self._new_text()
        self._pending: list[str] = []
        self._sender: asyncio.Task[None] | None = None
        self._hurry = asyncio.Event()
        self._log = get_logger(__name__)

    async def begin(self) -> None:
        """Say that the turn has begun; said again when an earlier attempt had streamed already."""
        events: list[Event] = [beginning(self._record, self._turn.body)]
        if self._record.attempt > 1:
            events.insert(0, ResponseRestarted(self._record.id, "the worker before was lost"))
        await self._send(events)

    async def write(self, delta: str) -> None:
        """Take one piece of text; it leaves soon, together with its neighbours."""
        self._pending.append(delta)
        if self._sender is None or self._sender.done():
            self._sender = asyncio.create_task(self._send_soon())

    async def restart(self) -> None:
        """Take back what was said: another attempt begins from the start."""
        await self.abandon()
        self._text = self._new_text()
        await self._send([ResponseRestarted(self._record.id, "another attempt answers")])

    async def finish(self, text: str, *, is_whole: bool = True) -> None:
        """Send what is left and the events that close the text; `is_whole` is false where the
        provider stopped before its end."""
        await self._settle_sender()
        item = output_message(self._record.id, text, is_whole=is_whole)
        await self._send([*self._delta_events(), *self._text.close(item)])

    async def abandon(self) -> None:
        """Say nothing more of what was written and not sent yet."""
        self._pending.clear()
        await self._settle_sender()

    async def _send_soon(self) -> None:
        while self._pending:
            await self._send(self._delta_events())
            with suppress(TimeoutError):
                async with asyncio.timeout(self._interval_seconds):
                    await self._hurry.wait()

    def _delta_events(self) -> list[Event]:
        if not self._pending:
            return []
        piece = "".join(self._pending)
        self._pending.clear()
        return self._text.write(piece)

    def _new_text(self) -> TextEvents:
        return TextEvents(output_message_id(self._record.id))

    async def _settle_sender(self) -> None:
        # Waited for and not cancelled: what it has on its way must arrive before what comes next.
        if self._sender is not None:
            self._hurry.set()
            await asyncio.gather(self._sender, return_exceptions=True)
            self._hurry.clear()
            self._sender = None

    async def _send(self, events: list[Event]) -> None:
        if not events:
            return
        try:
            encoded = [encode_event(event) for event in events]
            await self._replies.append(self._record.id, self._record.attempt, encoded)
        except RedisUnavailable:
            self._log.warning("stream_event_lost", events=len(events))
