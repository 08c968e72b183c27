"""Held messages and a real worker: each tenant has its turn, and nothing is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from redis.asyncio import Redis
from sqlalchemy import select

from deploy.scripted_provider.behaviour import Kind
from shared.dispatch.credit import CREDIT_KEY, HINT_CHANNEL
from shared.dispatch.flows import Flow, FlowBoard, FlowFigures
from shared.messages.lane import Lane
from shared.messages.record import MessageRecord
from shared.messages.state import ResponseState
from shared.persistence.flow_tables import flow
from shared.persistence.tables import role_lease
from shared.redis.guarded import GuardedRedis
from tests.integration.workers.agent_worker import AgentWorker
from tests.integration.workers.provider_thread import ProviderThread
from tests.integration.workers.road import Road, eventually, forget_leases
from tests.integration.workers.stack import Stack

StartWorker = Callable[..., AgentWorker]
FLOOD = 30


@pytest.fixture(autouse=True)
async def none_lives(road: Road) -> None:
    """Of the tests before: the slots of a worker that was killed count until its lease is over."""
    await forget_leases(road.database)


async def hold(road: Road, text: str, **changes: Any) -> MessageRecord:
    """Accepted as a door does that had no credit for it."""
    return await road.accept(text, wake=False, held_at=road.clock.now(), **changes)


async def claims_of(road: Road, records: list[MessageRecord]) -> list[str]:
    """Their tenants in the order in which they were claimed, once all have ended."""
    ended = [await road.ended(record) for record in records]
    assert {each.state for each in ended} == {ResponseState.COMPLETED}
    assert {each.attempt for each in ended} == {1}
    return [each.tenant_id for each in sorted(ended, key=lambda each: str(each.claimed_at))]


async def test_a_flood_of_one_tenant_makes_no_other_wait_for_its_end(
    stack: Stack, road: Road, start_worker: StartWorker
) -> None:
    records = [await hold(road, f"flood {n}", tenant_id="ten_flood") for n in range(FLOOD)]
    records += [await hold(road, f"small {n}", tenant_id="ten_small") for n in range(4)]
    start_worker(stack, concurrency=2)
    order = await claims_of(road, records)
    last = max(n for n, tenant in enumerate(order) if tenant == "ten_small")
    assert last < FLOOD / 2, order
    assert all(n.released_at for n in [await road.ended(record) for record in records])

    async def charged() -> bool:
        async with road.database.relaxed.connect() as connection:
            tenants = {row.tenant_id for row in await connection.execute(select(flow))}
        return {"ten_flood", "ten_small"} <= tenants

    await eventually(charged, "both are charged for what they used")


async def test_the_leader_is_followed_when_it_is_killed(
    stack: Stack, road: Road, provider: ProviderThread, start_worker: StartWorker
) -> None:
    provider.behave(Kind.LATENCY, contains="followed", seconds=0.1)
    workers = [start_worker(stack, concurrency=1) for _ in range(2)]

    async def leader() -> str | None:
        query = select(role_lease.c.holder).where(role_lease.c.role == "dispatcher")
        async with road.database.relaxed.connect() as connection:
            return await connection.scalar(query)

    await eventually(leader, "somebody leads")
    records = [await hold(road, f"followed {n}", tenant_id=f"ten_{n % 3}") for n in range(20)]
    await road.until(records[0], ResponseState.COMPLETED)
    holder = await leader()
    assert holder is not None
    (leading,) = [each for each in workers if holder.split(":")[1] == str(each.pid)]
    leading.kill()
    await forget_leases(road.database, holder)
    ended = [await road.ended(record, seconds=90) for record in records]
    assert {each.state for each in ended} == {ResponseState.COMPLETED}


async def test_what_is_held_is_released_after_redis_forgot_everything(
    stack: Stack, road: Road, provider: ProviderThread, start_worker: StartWorker
) -> None:
    provider.behave(Kind.LATENCY, contains="forgotten", seconds=0.05)
    records = [await hold(road, f"forgotten {n}") for n in range(12)]
    start_worker(stack, concurrency=1)
    await road.until(records[0], ResponseState.COMPLETED)
    redis = Redis.from_url(stack.redis_url)
    try:
        await redis.flushall()
        for record in records:
            assert (await road.ended(record)).state is ResponseState.COMPLETED
        assert await eventually(lambda: redis.exists(CREDIT_KEY), "the credits are told again")
    finally:
        await redis.aclose()


async def test_what_is_held_is_released_where_nothing_is_to_be_held_any_more(
    stack: Stack, road: Road, start_worker: StartWorker
) -> None:
    redis = Redis.from_url(stack.redis_url)
    await redis.delete(CREDIT_KEY)
    records = [await hold(road, f"left {n}", lane=lane) for n, lane in enumerate(Lane)]
    off = {"FOREBAY_DISPATCH__ENABLED": "false"}
    start_worker(replace(stack, extra=stack.extra | off), concurrency=2)
    for record in records:
        assert (await road.ended(record)).state is ResponseState.COMPLETED
    assert not await redis.exists(CREDIT_KEY)
    await redis.aclose()


async def test_a_batch_turn_gives_way_to_who_waits_and_is_answered_later(
    stack: Stack, road: Road, provider: ProviderThread, start_worker: StartWorker
) -> None:
    generous = replace(stack, extra=stack.extra | {"FOREBAY_DISPATCH__WASTE_SHARE": "1"})
    provider.behave(Kind.LATENCY, contains="patient", seconds=600, times=1)
    batch = await hold(road, "patient", lane=Lane.BATCH, seconds=3600)
    start_worker(generous, concurrency=1)
    await asyncio.to_thread(provider.wait_for_calls, "patient")
    urgent = await hold(road, "at once", lane=Lane.INTERACTIVE)
    redis = Redis.from_url(stack.redis_url)
    await redis.publish(HINT_CHANNEL, "interactive")
    await redis.aclose()
    assert (await road.ended(urgent)).state is ResponseState.COMPLETED
    late = await road.ended(batch)
    assert (late.state, late.attempt) == (ResponseState.COMPLETED, 2)
    booked = await road.attempts(late)
    assert [each.claim for each in booked][-1] == 2


@pytest.mark.parametrize("stack", ["rabbitmq-postgres"], indirect=True)
async def test_a_batch_waits_out_an_outage_and_no_human_sees_a_line_of_it(
    stack: Stack, road: Road, provider: ProviderThread, start_worker: StartWorker
) -> None:
    people = {"name": "people", "kind": "handoff"}
    # Open before a message is put back so often that it would wait no more.
    breakers = {"FAILURES_IN_A_ROW": "2", "OPEN_SECONDS": "0.3", "SUCCESSES_TO_CLOSE": "1"}
    told = {f"FOREBAY_BREAKERS__{name}": value for name, value in breakers.items()}
    alone = replace(stack, providers=[stack.providers[0], people], extra=stack.extra | told)
    provider.behave(Kind.SERVER_ERROR, contains="outage")
    records = [await hold(road, f"outage {n}", lane=Lane.BATCH, seconds=36_000) for n in range(8)]
    start_worker(alone, concurrency=2)
    redis = Redis.from_url(stack.redis_url)
    guarded = GuardedRedis(redis, road.clock)
    board, flow = FlowBoard(guarded), Flow(Lane.BATCH, records[0].tenant_id)

    async def parked() -> FlowFigures | None:
        told = await board.of(flow)
        figures = told.flows.get(flow) if told else None
        return figures if figures and figures.parked >= len(records) - 2 else None

    figures = await eventually(parked, "all but what probes is parked")
    assert "arked: first/scripted is " in figures.reason
    assert figures.backlog <= len(records)
    assert figures.eta_seconds is None
    await asyncio.to_thread(provider.wait_for_calls, "outage", 3)
    provider.reset()
    ended = [await road.ended(record) for record in records]
    assert {(each.state, each.answered_by) for each in ended} == {
        (ResponseState.COMPLETED, "first")
    }
    assert len(provider.calls("outage")) == len(records), "each of them once since it is back"
    await guarded.close()
    await redis.aclose()
