"""A turn whose lease, ledger or Redis goes away in the middle, and one that a human ends."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from deploy.scripted_provider.behaviour import Kind
from shared.clock import SystemClock
from shared.dispatch.credit import CREDIT_KEY, Credits, LaneSlots
from shared.errors import Conflict
from shared.identifiers import HANDOFF, sibling_id
from shared.messages.lane import Lane
from shared.messages.record import MessageRecord
from shared.messages.state import ResponseState
from shared.persistence.handoffs import HandoffRepository
from shared.persistence.tables import message
from shared.redis.client import open_redis
from shared.redis.scripts import run_scripts
from tests.integration.workers.provider_thread import ProviderThread
from tests.integration.workers.road import TENANT, Road, eventually, open_road
from tests.integration.workers.stack import Stack, openai_link
from tests.servers.migrated import migrate
from tests.servers.postgres import PostgresServer
from tests.servers.redis import RedisServer
from workers.building.runtime import open_runtime
from workers.pipeline import TurnOutcome

LONG_LEASE = {"FOREBAY_LEDGER__LEASE_SECONDS": "60"}
LEASE_TO_LOSE = {"FOREBAY_LEDGER__LEASE_SECONDS": "20"}
"""A fifth of it is how long a worker may not know that it has lost one."""


@pytest.fixture
def lonely(redis_url: str, migrated_sqlite_url: str, provider: ProviderThread) -> Stack:
    """Servers for turns that run inside the test; no worker process reads their queues."""
    return Stack(
        broker_url=redis_url,
        redis_url=redis_url,
        ledger_url=migrated_sqlite_url,
        providers=[openai_link(provider.url)],
        extra=LONG_LEASE,
    )


async def test_a_worker_that_lost_its_lease_can_neither_write_nor_speak(
    lonely: Stack, provider: ProviderThread
) -> None:
    losing = replace(lonely, extra=LEASE_TO_LOSE)
    old = "an answer of the old worker that nobody may ever read because it comes too late " * 40
    provider.behave(Kind.SLOW_DRIP, contains="whose", text=old, every_seconds=0.1, times=1)
    async with (
        open_road(losing) as road,
        open_runtime(losing.settings) as former,
        open_runtime(losing.settings) as latter,
    ):
        record = await road.accept("whose answer?", wake=False, body={"stream": True})
        first = asyncio.create_task(former.run(record.id))
        await eventually(lambda: _streamed(road, record), "the first words")
        await _take_the_lease_away(road, record)
        await road.until(record, ResponseState.QUEUED)
        assert await latter.run(record.id) is TurnOutcome.ANSWERED
        assert await first is TurnOutcome.LOST
        ended = await road.ended(record)
        assert (ended.output_text, ended.attempt) == ("You said: whose answer?", 2)
        events = [event for _, event in await road.events(record)]
        restarted = [event["type"] for event in events].index("response.restarted")
        assert events[-1]["type"] == "response.completed"
        after = "".join(event.get("delta", "") for event in events[restarted:])
        assert after == "You said: whose answer?"
        assert [row.claim for row in await road.attempts(record)] == [1, 2], "both were paid for"


async def test_a_turn_that_lost_its_lease_leaves_room_for_another(
    lonely: Stack, provider: ProviderThread
) -> None:
    losing = replace(lonely, extra=LEASE_TO_LOSE)
    provider.behave(Kind.SLOW_DRIP, contains="given", text="slow " * 200, every_seconds=0.1)
    async with (
        open_road(losing) as road,
        open_runtime(losing.settings) as pipeline,
        open_redis(losing.settings.redis) as redis,
    ):
        lanes = {Lane.STANDARD: LaneSlots(0, 10, has_backlog=True)}
        await run_scripts(redis, [Credits().setting(lanes, lease_seconds=600.0)])
        record = await road.accept("given away", wake=False, body={"stream": True})
        turn = asyncio.create_task(pipeline.run(record.id))
        await eventually(lambda: _streamed(road, record), "the first words")
        await _take_the_lease_away(road, record)
        assert await turn is TurnOutcome.LOST
        another = await road.accept("and another", wake=False)
        assert await pipeline.run(another.id) is TurnOutcome.ANSWERED
        assert await redis.hget(CREDIT_KEY, "free:standard") == b"2"


async def test_cancelling_stops_the_provider_call_within_a_lease(
    lonely: Stack, provider: ProviderThread
) -> None:
    losing = replace(lonely, extra=LEASE_TO_LOSE)
    provider.behave(Kind.HANG, contains="never mind")
    async with open_road(losing) as road, open_runtime(losing.settings) as pipeline:
        record = await road.accept("never mind", wake=False)
        turn = asyncio.create_task(pipeline.run(record.id))
        await asyncio.to_thread(provider.wait_for_calls, "never mind")
        cancelled = await road.ledger.cancel(record.id, tenant_id=TENANT)
        assert cancelled is not None
        assert cancelled.state is ResponseState.CANCELLED
        await asyncio.to_thread(provider.wait_for_cut, "never mind")
        assert await turn is TurnOutcome.LOST
        assert (await road.ended(record)).state is ResponseState.CANCELLED
    assert len(provider.calls("never mind")) == 1


async def test_a_ledger_that_restarts_in_the_middle_of_a_turn_costs_no_answer(
    own_postgres: PostgresServer, redis_url: str, provider: ProviderThread
) -> None:
    database_url = own_postgres.database_url(own_postgres.create_database())
    await asyncio.to_thread(migrate, database_url)
    stack = Stack(
        broker_url=redis_url,
        redis_url=redis_url,
        ledger_url=database_url,
        providers=[openai_link(provider.url)],
        extra=LONG_LEASE,
    )
    provider.behave(Kind.LATENCY, contains="meanwhile", seconds=0.5)
    async with open_road(stack) as road, open_runtime(stack.settings) as pipeline:
        record = await road.accept("meanwhile the ledger dies", wake=False)
        turn = asyncio.create_task(pipeline.run(record.id))
        await asyncio.to_thread(provider.wait_for_calls, "meanwhile")
        # What was accepted is on disk; the claim, whose commit is relaxed, has had its 0.2 s.
        await asyncio.to_thread(own_postgres.execute, "CHECKPOINT")
        await asyncio.to_thread(own_postgres.kill)
        await asyncio.to_thread(own_postgres.start)
        assert await turn is TurnOutcome.ANSWERED
        ended = await eventually(lambda: _found(road, record), "the ledger")
        assert (ended.state, ended.attempt) == (ResponseState.COMPLETED, 1)
    assert len(provider.calls("meanwhile")) == 1


async def test_without_redis_a_turn_is_answered_in_the_ledger(
    own_redis: RedisServer, lonely: Stack, provider: ProviderThread
) -> None:
    stack = Stack(
        broker_url=lonely.broker_url,
        redis_url=own_redis.url,
        ledger_url=lonely.ledger_url,
        providers=lonely.providers,
    )
    provider.behave(Kind.SLOW_DRIP, contains="unheard", every_seconds=0.1)
    async with open_road(stack) as road, open_runtime(stack.settings) as pipeline:
        record = await road.accept("unheard and yet answered", wake=False, body={"stream": True})
        turn = asyncio.create_task(pipeline.run(record.id))
        await eventually(lambda: _streamed(road, record), "the first words")
        await asyncio.to_thread(own_redis.kill)
        assert await turn is TurnOutcome.ANSWERED
        ended = await road.ended(record)
        assert ended.output_text == "You said: unheard and yet answered"


async def test_a_handed_off_message_is_ended_by_a_human_once(lonely: Stack) -> None:
    stack = Stack(
        broker_url=lonely.broker_url,
        redis_url=lonely.redis_url,
        ledger_url=lonely.ledger_url,
        providers=[{"name": "people", "kind": "handoff"}],
    )
    async with open_road(stack) as road, open_runtime(stack.settings) as pipeline:
        record = await road.accept("a human, please", wake=False)
        assert await pipeline.run(record.id) is TurnOutcome.ANSWERED
        waiting = await road.ended(record)
        assert waiting.state is ResponseState.REQUIRES_ACTION
        handoff_id = sibling_id(HANDOFF, record.id)
        assert handoff_id in (waiting.output_text or ""), "the apology names the handoff"
        assert (await road.closing_event(record))["type"] == "response.requires_action"
        inbox = HandoffRepository(road.database, SystemClock())
        assert [entry.id for entry in await inbox.list()] == [handoff_id]
        await inbox.answer(handoff_id, text="Here I am.", answered_by="ada")
        ended = await road.ended(record)
        assert (ended.state, ended.output_text) == (ResponseState.COMPLETED, "Here I am.")
        assert ended.answered_by == "human:ada"
        with pytest.raises(Conflict):
            await inbox.answer(handoff_id, text="Me too.", answered_by="bob")
        assert await pipeline.run(record.id) is TurnOutcome.NOTHING_TO_CLAIM


async def test_a_turn_that_is_cut_short_gives_its_message_back(
    lonely: Stack, provider: ProviderThread
) -> None:
    provider.behave(Kind.HANG, contains="shut down", times=1)
    async with open_road(lonely) as road, open_runtime(lonely.settings) as pipeline:
        record = await road.accept("shut down in the middle", wake=False)
        turn = asyncio.create_task(pipeline.run(record.id))
        await asyncio.to_thread(provider.wait_for_calls, "shut down")
        turn.cancel()
        await asyncio.wait([turn])
        assert turn.cancelled()
        await asyncio.to_thread(provider.wait_for_cut, "shut down")
        assert (await road.until(record, ResponseState.QUEUED)).attempt == 1
        assert await pipeline.run(record.id) is TurnOutcome.ANSWERED
        assert (await road.ended(record)).attempt == 2


async def _streamed(road: Road, record: MessageRecord) -> bool:
    return any(event["type"].endswith("delta") for _, event in await road.events(record))


async def _found(road: Road, record: MessageRecord) -> MessageRecord | None:
    found = await road.ledger.find(record.id)
    return found if found is not None and found.state.is_terminal else None


async def _take_the_lease_away(road: Road, record: MessageRecord) -> None:
    before = road.clock.now() - timedelta(seconds=1)
    async with road.database.relaxed.begin() as connection:
        await connection.execute(
            update(message).where(message.c.id == record.id).values(lease_until=before)
        )
