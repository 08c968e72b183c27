"""A day's cap holds across doors, crashes and a Redis that forgets; on Postgres and SQLite."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from redis.asyncio import Redis
from sqlalchemy import update

from ingress.admission.verdict import Admitted, Refused
from shared.clock import SystemClock
from shared.messages.tenant import Tenant
from shared.persistence.engine import Database
from shared.persistence.tables import attempt
from shared.reservations.reservations import Reservations, budget_key, slots_key
from tests.integration.costs.budgeted import (
    OpenDoor,
    is_out_of_budget,
    message,
    open_door,
    settle,
    tenant,
    worker,
)
from tests.integration.costs.conftest import SettleTurn

__all__ = ["open_door", "worker"]  # fixtures


@pytest.fixture
def clock() -> SystemClock:  # Redis keeps its own time
    return SystemClock()


async def test_reservations_never_pass_the_cap_whoever_asks_at_the_same_time(
    open_door: OpenDoor,
) -> None:
    doors = [open_door() for _ in range(3)]
    owner = tenant("0.255")
    verdicts = await asyncio.gather(*(doors[n % 3].decide(message(owner)) for n in range(200)))
    assert sum(isinstance(verdict, Admitted) for verdict in verdicts) == 25
    refused = [verdict for verdict in verdicts if is_out_of_budget(verdict)]
    assert len(refused) == 175
    assert isinstance(refused[0], Refused)
    assert refused[0].status == 429
    assert "The budget of $0.255 a day (UTC)" in refused[0].message
    # Nothing is spent yet: what the others do not use comes back in a moment.
    assert 0 < refused[0].retry_after_seconds <= 1


async def test_a_spent_budget_comes_back_at_midnight_and_not_before(
    open_door: OpenDoor, worker: Reservations
) -> None:
    door, owner = open_door(), tenant("0.02")
    asked = message(owner)
    await door.decide(asked)
    assert await settle(worker, asked, "0.015")
    refused = await door.decide(message(owner))
    assert isinstance(refused, Refused)
    now = SystemClock().now()
    midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    assert refused.retry_after_seconds == pytest.approx((midnight - now).total_seconds(), abs=60)


async def test_what_a_message_did_not_use_is_there_for_the_next(
    open_door: OpenDoor, worker: Reservations
) -> None:
    door, owner = open_door(), tenant("0.011")
    for _ in range(5):
        asked = message(owner)
        assert isinstance(await door.decide(asked), Admitted)
        assert is_out_of_budget(await door.decide(message(owner)))
        assert await settle(worker, asked, "0.0002")
        assert not await settle(worker, asked, "0.0002"), "a repeat charges nothing"
    asked = message(owner)
    assert isinstance(await door.decide(asked), Admitted)
    assert await settle(worker, asked, "0.0002")
    assert is_out_of_budget(await door.decide(message(owner)))


async def test_an_unknown_cost_is_charged_as_reserved(
    open_door: OpenDoor, worker: Reservations
) -> None:
    door, owner = open_door(), tenant("0.015")
    asked = message(owner)
    await door.decide(asked)
    assert await settle(worker, asked, None)
    assert is_out_of_budget(await door.decide(message(owner)))


async def test_a_message_that_came_to_nothing_costs_nothing(open_door: OpenDoor) -> None:
    door, owner = open_door(), tenant("0.01")
    for _ in range(3):
        asked = message(owner)
        assert isinstance(await door.decide(asked), Admitted)
        await door.give_back(asked)


async def test_the_reservation_of_a_lost_message_ends_with_its_lease(
    open_door: OpenDoor, redis_client: Redis
) -> None:
    door, owner = open_door(), tenant("0.01")
    asked = message(owner)
    await door.decide(asked)
    assert is_out_of_budget(await door.decide(message(owner)))
    await redis_client.zadd(slots_key(owner.id), {asked.message_id: 1})  # its lease is long over
    assert isinstance(await door.decide(message(owner)), Admitted)


async def test_a_flushed_redis_learns_from_the_ledger_what_was_spent(
    open_door: OpenDoor, redis_client: Redis, settle_turn: SettleTurn
) -> None:
    owner = tenant("0.05")
    await settle_turn("0.02", None, "0.015", tenant=owner.id)
    await settle_turn("9", tenant="somebody_else")
    doors = [open_door() for _ in range(3)]
    for _ in range(2):
        verdicts = await asyncio.gather(*(doors[n % 3].decide(message(owner)) for n in range(30)))
        assert sum(isinstance(verdict, Admitted) for verdict in verdicts) == 1
        await redis_client.flushdb()


async def test_what_redis_missed_is_caught_up_from_the_ledger(
    open_door: OpenDoor, database: Database, settle_turn: SettleTurn
) -> None:
    owner = tenant("0.05")
    assert isinstance(await open_door().decide(message(owner)), Admitted)
    await settle_turn("0.045", tenant=owner.id)  # and Redis was away when it was told
    await _book_earlier(database, owner)
    door = open_door()
    assert door._budgets is not None
    await door._budgets.read(owner.id)  # as it does by itself every minute
    assert is_out_of_budget(await door.decide(message(owner)))


async def test_yesterdays_spending_is_not_todays(
    open_door: OpenDoor, redis_client: Redis, worker: Reservations
) -> None:
    door, owner = open_door(), tenant("0.02")
    asked = message(owner)
    await door.decide(asked)
    await settle(worker, asked, "0.02")
    assert is_out_of_budget(await door.decide(message(owner)))
    await redis_client.hincrby(budget_key(owner.id), "day", -1)
    assert isinstance(await door.decide(message(owner)), Admitted)


async def test_a_tenant_without_a_cap_leaves_no_trace_of_money(
    open_door: OpenDoor, redis_client: Redis, worker: Reservations
) -> None:
    door, owner = open_door(), tenant(None)
    asked = message(owner)
    assert isinstance(await door.decide(asked), Admitted)
    assert await settle(worker, asked, "0.02")
    assert not await redis_client.exists(budget_key(owner.id))


async def _book_earlier(database: Database, owner: Tenant) -> None:
    earlier = SystemClock().now() - timedelta(seconds=61)
    if earlier.date() != SystemClock().now().date():
        pytest.skip("It has just been midnight.")
    async with database.durable.begin() as connection:
        await connection.execute(
            update(attempt).where(attempt.c.tenant_id == owner.id).values(booked_at=earlier)
        )
