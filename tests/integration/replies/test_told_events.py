"""Events that travel in their wake-ups: readers have them in order, all of them, and once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import timedelta
from typing import cast

import msgspec
import pytest
from redis.asyncio import Redis

from ingress.events import NumberedEvent, Replies
from ingress.ledger_watch import LedgerWatch
from ingress.prompt_ledger import PromptLedger
from ingress.reply_source import ReplySource
from shared.clock import SystemClock
from shared.identifiers import new_response_id
from shared.messages.record import MessageRecord
from shared.messages.state import ResponseState
from shared.persistence.ledger.message_states import Standing
from shared.redis.scripts import run_scripts
from shared.replies.reply_stream import ReplyStream
from shared.replies.wakeups import Wake, Wakeups, wake_channel
from tests.queued_message import queued_message

END = b'{"type":"response.completed","response":{"id":"resp_1"}}'


class CountingSource(ReplySource):
    """Counts how often the stream is read; `after_read` may write more of it."""

    reads = 0
    after_read: Callable[[], Awaitable[None]] | None = None

    async def events(self, message_id: str, *, after: int) -> list[tuple[int, bytes]]:
        self.reads += 1
        read = await super().events(message_id, after=after)
        if self.after_read is not None:
            await self.after_read()
        return read


class StillLedger:
    """One message, of which there is no news."""

    def __init__(self, record: MessageRecord) -> None:
        self._record = record

    async def find(self, message_id: str, *, tenant_id: str) -> MessageRecord:
        assert (message_id, tenant_id) == (self._record.id, self._record.tenant_id)
        return self._record


class Door:
    """What a door has to wait with, before a ledger that knows no news; and a worker's stream."""

    def __init__(self, redis: Redis) -> None:
        clock = SystemClock()
        now = clock.now()
        self.record: MessageRecord = queued_message(
            id=new_response_id(),
            body='{"input":"Hi","stream":true}',
            accepted_at=now,
            deadline=now + timedelta(minutes=5),
        )
        self.redis = redis
        self.wakeups = Wakeups(redis)
        self.stream = ReplyStream(redis, ttl_seconds=60)
        self.source = CountingSource(
            cast(PromptLedger, StillLedger(self.record)),
            LedgerWatch(self._look),
            self.stream,
            self.wakeups,
            redis,
            clock,
            redis_timeout_seconds=60,
        )
        self.replies = Replies(self.source, clock)

    @asynccontextmanager
    async def waiting(self) -> AsyncIterator[Wake]:
        async with self.wakeups.listen(self.record.id) as wake, asyncio.timeout(60):
            await wake.wait()
            wake.clear()
            yield wake

    async def write(self, *events: bytes) -> None:
        assert await self.stream.append(self.record.id, 1, events)

    async def end(self) -> None:
        await run_scripts(self.redis, [self.stream.ending(self.record.id, 1, END)])

    async def follow(self, wake: Wake) -> AsyncIterator[NumberedEvent]:
        """Everything that the worker writes."""
        events = self.replies.follow(self.record, wake, after=1, wanted=lambda: True)
        async with aclosing(events) as following:  # type: ignore[type-var]  # a generator it is
            async for event in following:
                assert event is not None
                yield event

    async def told(self, wake: Wake) -> list[int]:
        return [event.sequence async for event in self.follow(wake)]

    async def until_told(self, wake: Wake) -> None:
        """Returns once a wake-up that was published has arrived."""
        while not wake.is_set():  # noqa: ASYNC110 - waiting on it is the reader's
            await asyncio.sleep(0.005)

    async def close(self) -> None:
        await self.source.close()
        await self.wakeups.close()
        await self.stream.close()

    async def _look(self, ids: Sequence[str]) -> Mapping[str, Standing]:
        return {message_id: Standing(self.record.state, self.record.attempt) for message_id in ids}


@pytest.fixture
async def door(redis_client: Redis) -> AsyncIterator[Door]:
    opened = Door(redis_client)
    yield opened
    await opened.close()


def delta(number: int, *, length: int = 10) -> bytes:
    return b'{"type":"response.output_text.delta","delta":"%d%s"}' % (number, b"x" * length)


async def test_what_is_told_is_not_read(door: Door) -> None:
    async with door.waiting() as wake:
        await door.write(delta(2))
        await door.until_told(wake)
        sequences = []
        async for event in door.follow(wake):
            sequences.append(event.sequence)
            await (door.write(delta(event.sequence + 1)) if event.sequence < 9 else door.end())
    assert sequences == [*range(2, 11)]
    assert door.source.reads == 0


async def test_an_end_that_is_told_waits_for_events_that_are_not(door: Door) -> None:
    async with door.waiting() as wake:
        following = asyncio.create_task(door.told(wake))
        while not door.source.reads:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.005)
        await door.write(delta(2))
        await door.write(delta(3, length=70_000))
        await door.end()
        assert await following == [2, 3, 4]


async def test_a_reader_that_is_slow_skips_nothing(door: Door) -> None:
    async with door.waiting() as wake:
        await door.write(delta(2))
        sequences = []
        async for event in door.follow(wake):
            sequences.append(event.sequence)
            if event.sequence == 2:
                for number in range(3, 103):
                    await door.write(delta(number, length=2_000))
                await door.end()
    assert sequences == [*range(2, 104)]


async def test_a_worker_of_the_version_before_tells_numbers_and_no_events(door: Door) -> None:
    key = f"forebay:{{{door.record.id}}}:events"

    async def older_worker() -> None:
        for sequence, event in ((2, delta(2)), (3, delta(3)), (4, END)):
            await door.redis.xadd(key, {"e": event}, id=f"{sequence}-0")
            await door.redis.publish(wake_channel(door.record.id), sequence)

    async with door.waiting() as wake:
        working = asyncio.create_task(older_worker())
        assert await door.told(wake) == [2, 3, 4]
        await working


async def test_an_end_that_comes_between_two_looks_is_told(door: Door) -> None:
    ended = msgspec.structs.replace(door.record, state=ResponseState.COMPLETED)

    async def told(*, after: int) -> list[tuple[int, str]]:
        events = door.replies.follow(ended, Wake(), after=after, wanted=lambda: True)
        return [(event.sequence, event.type) async for event in events if event is not None]

    await door.write(delta(2), delta(3))
    # The ledger knows of the end when this reader looks, and Redis a moment later.
    door.source.after_read = door.end
    assert await told(after=3) == [(4, "response.completed")]
    assert await told(after=4) == []


async def test_everybody_who_waits_for_a_message_has_all_of_it(door: Door) -> None:
    async def final(wake: Wake) -> bytes | None:
        return await door.replies.final(door.record, wake, seconds=60, wanted=lambda: True)

    async with door.waiting() as first, door.waiting() as second, door.waiting() as third:
        await door.write(delta(2))
        told = asyncio.create_task(door.told(first))
        answered = asyncio.create_task(final(second))
        await door.write(delta(3))
        await door.end()
        assert await told == [2, 3, 4]
        assert await answered == b'{"id":"resp_1"}'
        await door.until_told(third)
        late = [event.sequence async for event in door.follow(third)]
        assert late == [2, 3, 4]
    async with door.waiting() as after_the_end:
        assert await door.told(after_the_end) == [2, 3, 4]
