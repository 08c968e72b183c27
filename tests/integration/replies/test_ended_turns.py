"""What Redis is told at the end of a turn: who waits, and the slot; neither lost with the other."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from redis.asyncio import Redis

from shared.clock import SystemClock
from shared.messages.record import MessageRecord
from shared.messages.state import ResponseState
from shared.redis.client import open_redis
from shared.replies.reply_stream import ReplyStream
from shared.reservations.reservations import Reservations, budget_key, slots_key
from shared.settings.servers import RedisSettings
from shared.telemetry.metrics import Metrics
from tests.integration.patience import PatientSettings
from tests.queued_message import queued_message
from tests.servers.cut_line import CutLine
from tests.servers.redis import RedisServer
from workers.steps.reply import Reply

TENANT, RESERVED = "ten_1", 500


class NoQueue:
    """No producer has named one."""

    async def send(self, record: MessageRecord) -> None:
        raise AssertionError(record.id)


class EndedTurn:
    """A message whose end is in the ledger; its stream was begun, and it holds a slot."""

    def __init__(self, worker: Redis, looking: Redis) -> None:
        self.redis = looking
        self.metrics = Metrics()
        self.stream = ReplyStream(worker, ttl_seconds=60)
        self.reservations = Reservations(worker, SystemClock())
        self.reply = Reply(
            self.stream,
            self.reservations,
            NoQueue(),
            self.metrics,
            redis=worker,
            clock=SystemClock(),
        )
        self.record = queued_message(state=ResponseState.COMPLETED, attempt=1, output_text="yes")

    async def begin(self, *, is_streamed: bool = True) -> None:
        if is_streamed:
            assert await self.stream.append(self.record.id, 1, [b'{"type":"begun"}'])
        await self.redis.zadd(slots_key(TENANT), {self.record.id: 9e9})
        # Of a day that never comes, so that the test may run over midnight.
        budget = {"day": 10**6, "spent": 0, "reserved": 2 * RESERVED, self.record.id: RESERVED}
        await self.redis.hset(budget_key(TENANT), mapping=budget)
        await self.reservations.settle(
            TENANT, None, message_id="another", estimated_tokens=0, used_tokens=0
        )

    async def events(self) -> list[int]:
        looking = ReplyStream(self.redis, ttl_seconds=60)
        return [number for number, _ in await looking.read(self.record.id, after=-1)]

    async def is_slot_free(self) -> bool:
        return await self.redis.zscore(slots_key(TENANT), self.record.id) is None

    async def budget(self) -> tuple[int, int]:
        spent, reserved = await self.redis.hmget(budget_key(TENANT), ["spent", "reserved"])
        return int(spent), int(reserved)

    def told(self, outcome: str) -> float:
        return self.metrics.replies.labels(outcome)._value.get()

    async def close(self) -> None:
        await self.reply.close()
        await self.reservations.close()
        await self.stream.close()


class TellingLine(CutLine):
    """Notes what a worker sends at a time; breaks before the next script runs, or after that."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.sent: list[int] = []
        self.breaks_before_it_runs = False
        self.breaks_after_it_ran = False

    def _carry_over(self, source: socket.socket, target: socket.socket, data: bytes) -> bool:
        scripts = data.count(b"EVALSHA")
        if scripts:
            self.sent.append(scripts)
        if scripts and self.breaks_before_it_runs:
            self.breaks_before_it_runs = False
            return False
        if not scripts and self.breaks_after_it_ran:
            self.breaks_after_it_ran = False
            return False
        return super()._carry_over(source, target, data)


@asynccontextmanager
async def ended_turn(worker: RedisSettings, looking: RedisSettings) -> AsyncIterator[EndedTurn]:
    async with open_redis(worker) as first, open_redis(looking) as second:
        turn = EndedTurn(first, second)
        try:
            yield turn
        finally:
            await turn.close()


@pytest.fixture
async def turn(redis_url: str, patience: PatientSettings) -> AsyncIterator[EndedTurn]:
    async with ended_turn(patience(redis_url), patience(redis_url)) as opened:
        yield opened


@pytest.mark.parametrize("is_streamed", [True, False])
async def test_a_turn_that_is_told_again_ends_once(turn: EndedTurn, is_streamed: bool) -> None:
    await turn.begin(is_streamed=is_streamed)
    for _ in range(2):
        await turn.reply.tell(turn.record)
        assert await turn.events() == ([2, 3] if is_streamed else [])
        assert await turn.is_slot_free()
        assert await turn.budget() == (RESERVED, RESERVED), "its cost is unknown: what it reserved"
    assert turn.told("published") == 2


async def test_a_message_that_reserved_nothing_is_told_of(turn: EndedTurn) -> None:
    await turn.stream.append(turn.record.id, 1, [b'{"type":"begun"}'])
    await turn.reply.tell(turn.record)
    assert await turn.events() == [2, 3]
    assert await turn.redis.exists(slots_key(TENANT), budget_key(TENANT)) == 0


async def test_event_and_slot_travel_at_once(
    redis: RedisServer, redis_url: str, patience: PatientSettings
) -> None:
    with TellingLine(redis.port) as line:
        through = patience(redis_url.replace(f":{redis.port}/", f":{line.port}/"))
        async with ended_turn(through, patience(redis_url)) as turn:
            await turn.begin()
            line.sent.clear()
            await turn.reply.tell(turn.record)
    assert line.sent == [2]


@pytest.mark.parametrize("has_run", [True, False])
async def test_a_connection_that_breaks_loses_neither_and_repeats_neither(
    redis: RedisServer, redis_url: str, patience: PatientSettings, has_run: bool
) -> None:
    with TellingLine(redis.port) as line:
        through = patience(redis_url.replace(f":{redis.port}/", f":{line.port}/"))
        async with ended_turn(through, patience(redis_url)) as turn:
            await turn.begin()
            line.sent.clear()
            line.breaks_after_it_ran, line.breaks_before_it_runs = has_run, not has_run
            await turn.reply.tell(turn.record)
            assert line.sent == [2, 2]
            assert await turn.events() == [2, 3]
            assert await turn.is_slot_free()
            assert await turn.budget() == (RESERVED, RESERVED)
            assert turn.told("published") == 1


async def test_what_is_refused_to_one_is_not_refused_to_the_other(
    own_redis: RedisServer, patience: PatientSettings
) -> None:
    settings = patience(own_redis.url)
    async with ended_turn(settings, settings) as turn:
        await turn.begin()
        own_redis.command(*f"ACL SETUSER default resetkeys ~forebay:{{{TENANT}}}:*".split())
        await turn.reply.tell(turn.record)
        assert turn.told("failed") == 1
        assert await turn.is_slot_free()
        own_redis.command(*f"ACL SETUSER default resetkeys ~forebay:{{{turn.record.id}}}:*".split())
        await turn.reply.tell(turn.record)
        assert turn.told("published") == 1
        assert await turn.events() == [2, 3]


async def test_a_redis_that_is_away_after_the_end_was_written_holds_nobody_up(
    own_redis: RedisServer, patience: PatientSettings
) -> None:
    settings = patience(own_redis.url)  # nobody waits for what is refused
    async with ended_turn(settings, settings) as turn:
        await turn.begin()
        own_redis.kill()
        for _ in range(3):
            await turn.reply.tell(turn.record)
        assert turn.told("failed") == 3
        own_redis.start()
        await turn.reply.tell(turn.record)
        assert turn.told("published") == 1
