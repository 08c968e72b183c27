"""A worker that says what a test wants it to say, through the real ledger and the real streams."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from redis.asyncio import Redis
from sqlalchemy import select

from shared.clock import SystemClock
from shared.errors import Unavailable
from shared.messages.dead_letter import DeadReason
from shared.messages.events import Event, ResponseRestarted, closing_event, encode_event
from shared.messages.item import ReasoningItem
from shared.messages.output import AnswerItem, encode_items, output_items
from shared.messages.record import MessageRecord
from shared.messages.state import ResponseState
from shared.messages.stored_body import decode_body
from shared.persistence.engine import Database, open_database
from shared.persistence.ledger.claiming import ClaimGroup
from shared.persistence.ledger.message_ledger import MessageLedger
from shared.persistence.ledger.records import Settlement
from shared.persistence.tables import message
from shared.redis.client import open_redis
from shared.redis.scripts import run_scripts
from shared.replies.event_sequence import OutputEvents, beginning
from shared.replies.reply_stream import ReplyStream
from shared.replies.wakeups import wake_channel
from shared.settings import Settings
from shared.telemetry.metrics import Metrics


class Spoken(msgspec.Struct, frozen=True):
    """An answer with what it has beside its text."""

    text: str | None = None
    items: tuple[AnswerItem, ...] = ()


Answer = Callable[[MessageRecord], str | Spoken]


def echo(record: MessageRecord) -> str:
    """What was said last, said again."""
    return f"You said: {decode_body(record.body.encode()).input[-1].text()}"


class StandInWorker:
    """Claims, answers and settles. `serve` does so for everything that is queued."""

    def __init__(self, settings: Settings) -> None:
        self._clock = SystemClock()
        self.database: Database = open_database(settings.ledger)
        self.redis: Redis = open_redis(settings.redis)
        self.ledger = MessageLedger(self.database, settings.ledger, self._clock, Metrics())
        self.stream = ReplyStream(self.redis, ttl_seconds=600)
        self._claims = ClaimGroup(self.database, self._clock, worker="stand-in", lease_seconds=30)
        self._serving: asyncio.Task[None] | None = None
        self._texts: dict[str, OutputEvents] = {}

    def serve(self, answer: Answer = echo) -> None:
        """Answer whatever is queued, until closed."""
        self._serving = asyncio.create_task(self._serve(answer))

    async def queued(self) -> list[str]:
        """The ids that wait."""
        query = select(message.c.id).where(message.c.state == ResponseState.QUEUED)
        async with self.database.relaxed.begin() as connection:
            return [row[0] for row in await connection.execute(query)]

    async def next_queued(self) -> str:
        """The id of a message that waits, as soon as there is one."""
        return (await self.wait_for_queued(1))[0]

    async def wait_for_queued(self, number: int) -> list[str]:
        """The ids that wait, as soon as there are so many."""
        while len(ids := await self.queued()) < number:  # noqa: ASYNC110 - another process fills it
            await asyncio.sleep(0.005)
        return ids

    async def until_somebody_waits(self, message_id: str) -> None:
        """Returns when a door listens for what becomes of the message."""
        channel = wake_channel(message_id)
        while dict(await self.redis.pubsub_numsub(channel))[channel.encode()] == 0:  # noqa: ASYNC110
            await asyncio.sleep(0.005)

    async def until_nobody_waits(self, message_id: str) -> None:
        """Returns when no door listens any more for what becomes of the message."""
        channel = wake_channel(message_id)
        while dict(await self.redis.pubsub_numsub(channel))[channel.encode()] > 0:  # noqa: ASYNC110
            await asyncio.sleep(0.005)

    async def claim(self, message_id: str) -> MessageRecord:
        (record,) = await self._claims.flush([message_id])
        assert record is not None
        return record

    async def say(self, record: MessageRecord, events: Sequence[Event]) -> None:
        """Append events to the stream."""
        await self.stream.append(record.id, record.attempt, [encode_event(one) for one in events])

    async def settle(
        self, record: MessageRecord, state: ResponseState = ResponseState.COMPLETED, **ending: Any
    ) -> MessageRecord:
        """Write the end into the ledger alone."""
        ending.setdefault("finished_at", self._clock.now())
        assert await self.ledger.settle(
            Settlement(
                message_id=record.id,
                tenant_id=record.tenant_id,
                attempt=record.attempt,
                state=state,
                **ending,
            )
        )
        ending.pop("dead_reason", None)
        ending.pop("handoff_reason", None)
        return msgspec.structs.replace(record, state=state, **ending)

    async def answer(
        self, record: MessageRecord, said: str | Spoken, **ending: Any
    ) -> MessageRecord:
        """A whole turn: settled, and closed on the stream."""
        spoken = _spoken(said)
        usual: dict[str, Any] = {"model": "scripted", "input_tokens": 7, "output_tokens": 5}
        ended = await self.settle(
            record,
            output_text=spoken.text,
            output_items=encode_items(spoken.items),
            **{**usual, **ending},
        )
        await self.close_stream(ended)
        return ended

    async def fail(self, record: MessageRecord, code: str = "server_error") -> None:
        """Every provider said no."""
        ended = await self.settle(
            record,
            ResponseState.FAILED,
            error_code=code,
            error_message="chain_exhausted: nobody answered",
            dead_reason=DeadReason.CHAIN_EXHAUSTED,
        )
        await self.close_stream(ended)

    async def hand_over(self, record: MessageRecord, said: str) -> None:
        """A human has it from here, which is what the caller is told."""
        handed = await self.settle(
            record, ResponseState.REQUIRES_ACTION, output_text=said, handoff_reason="degraded"
        )
        await self.close_stream(handed)

    async def close_stream(self, ended: MessageRecord) -> None:
        event = encode_event(closing_event(ended))
        goes_on = not ended.state.is_terminal
        ending = self.stream.ending(ended.id, ended.attempt, event, goes_on=goes_on)
        await run_scripts(self.redis, [ending])

    async def begin_stream(self, record: MessageRecord) -> None:
        """A worker has taken it."""
        self._texts[record.id] = OutputEvents(record.id)
        await self.say(record, [beginning(record)])

    async def stream_words(self, record: MessageRecord, words: Sequence[str]) -> None:
        for word in words:
            await self.say(record, self._texts[record.id].write(word))

    async def think_in_stream(self, record: MessageRecord, thought: ReasoningItem) -> None:
        await self.say(record, self._texts[record.id].think(thought))

    async def end_stream(self, record: MessageRecord, said: str | Spoken) -> None:
        spoken = _spoken(said)
        output = output_items(record.id, spoken.text, spoken.items)
        await self.say(record, self._texts[record.id].close(output))
        await self.answer(record, said)

    async def restart(self, record: MessageRecord) -> None:
        await self.say(record, [ResponseRestarted(record.id, "provider_failed")])

    async def close(self) -> None:
        if self._serving is not None:
            self._serving.cancel()
            await asyncio.gather(self._serving, return_exceptions=True)
        await self.stream.close()
        await self.ledger.close()
        await self.redis.aclose()
        await self.database.close()

    async def _serve(self, answer: Answer) -> None:
        while True:
            for record in filter(None, await self._claims.flush(await self.queued())):
                if decode_body(record.body.encode()).stream:
                    await self._stream(record, answer(record))
                else:
                    try:
                        await self.answer(record, answer(record))
                    except Unavailable:
                        continue
            await asyncio.sleep(0.005)

    async def _stream(self, record: MessageRecord, said: str | Spoken) -> None:
        """Thoughts first, the text word by word, then the calls."""
        spoken = _spoken(said)
        words = [f"{word} " for word in (spoken.text or "").split()]
        await self.begin_stream(record)
        for item in spoken.items:
            if isinstance(item, ReasoningItem):
                await self.say(record, self._texts[record.id].think(item))
        await self.stream_words(record, words)
        text = None if spoken.text is None else "".join(words)
        await self.end_stream(record, Spoken(text, spoken.items))


def _spoken(said: str | Spoken) -> Spoken:
    return Spoken(said) if isinstance(said, str) else said
