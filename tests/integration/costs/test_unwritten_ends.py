"""A turn without an end of its own: what it has called is booked and charged, and that once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
from redis.asyncio import Redis
from sqlalchemy import update

from deploy.scripted_provider.behaviour import Kind
from shared.clock import SystemClock
from shared.costs.price import nano_dollars
from shared.costs.spending import Spending, SpendingBy
from shared.identifiers import new_response_id
from shared.messages.record import MessageRecord
from shared.messages.state import ResponseState
from shared.persistence.tables import message
from shared.redis.client import open_redis
from shared.reservations.reservations import Reservations, budget_key
from tests.integration.workers.provider_thread import ProviderThread
from tests.integration.workers.road import Road, open_road
from tests.integration.workers.stack import Stack, openai_link
from workers.building.runtime import open_runtime
from workers.pipeline import TurnOutcome

PRICES = [{"model": "scripted", "input_per_million": 2, "output_per_million": "8.5"}]


@pytest.fixture
def lonely(redis_url: str, migrated_sqlite_url: str, provider: ProviderThread) -> Stack:
    """No renewal comes while a turn lasts, so that it finds out when it writes its end."""
    return Stack(
        broker_url=redis_url,
        redis_url=redis_url,
        ledger_url=migrated_sqlite_url,
        providers=[openai_link(provider.url)],
        extra={
            "FOREBAY_LEDGER__LEASE_SECONDS": "60",
            "FOREBAY_COSTS__PRICES": json.dumps(PRICES),
            "FOREBAY_LIMITS__DAILY_BUDGET": "1",
            "FOREBAY_CONTEXT__TOKEN_BUDGET": "400",
            "FOREBAY_CONTEXT__SUMMARISE": "inline",
        },
    )


class Turns:
    """One message, the turn that has it, and what its tenant is said to have spent."""

    def __init__(self, road: Road, redis: Redis, provider: ProviderThread) -> None:
        self.road, self.redis, self.provider = road, redis, provider
        self.tenant = new_response_id()

    async def accept(self, question: str) -> MessageRecord:
        self.provider.behave(Kind.LATENCY, contains=question, seconds=0.5, times=1)
        return await self.road.accept(question, wake=False, tenant_id=self.tenant)

    async def asked(self, question: str) -> None:
        await asyncio.to_thread(self.provider.wait_for_calls, question)

    async def found(self, record: MessageRecord) -> MessageRecord:
        found = await self.road.ledger.find(record.id)
        assert found is not None
        return found

    async def booked(self) -> Decimal:
        rows = await Spending(self.road.database).report(SpendingBy.TENANT)
        return sum((row.cost for row in rows if row.of == self.tenant), Decimal(0))

    async def charged(self) -> int:
        """In billionths of a dollar, with what is still reserved."""
        spent, reserved = await self.redis.hmget(budget_key(self.tenant), ["spent", "reserved"])
        return int(spent) + int(reserved)


@pytest.fixture
async def turns(lonely: Stack, provider: ProviderThread) -> AsyncIterator[Turns]:
    async with open_road(lonely) as road:
        redis = open_redis(lonely.settings.redis)
        yield Turns(road, redis, provider)
        await redis.aclose()


async def test_a_turn_whose_message_was_cancelled_is_booked_and_charged_once(
    lonely: Stack, turns: Turns
) -> None:
    record = await turns.accept("cancel me before I end")
    async with open_runtime(lonely.settings) as pipeline:
        turn = asyncio.create_task(pipeline.run(record.id))
        await turns.asked("cancel me before I end")
        await _cancel_as_a_door_does(turns, record)
        assert await turn is TurnOutcome.LOST

    found, booked = await turns.found(record), await turns.booked()
    assert found.state is ResponseState.CANCELLED
    assert booked > 0
    assert found.cost == booked
    assert await turns.charged() == nano_dollars(booked)


async def test_a_turn_whose_lease_was_lost_is_booked_and_charged_beside_the_one_that_answered(
    lonely: Stack, turns: Turns
) -> None:
    record = await turns.accept("take me over")
    async with open_runtime(lonely.settings) as former, open_runtime(lonely.settings) as latter:
        turn = asyncio.create_task(former.run(record.id))
        await turns.asked("take me over")
        async with turns.road.database.relaxed.begin() as connection:
            taken = update(message).where(message.c.id == record.id)
            await connection.execute(taken.values(state=ResponseState.QUEUED, lease_until=None))
        assert await latter.run(record.id) is TurnOutcome.ANSWERED
        assert await turn is TurnOutcome.LOST

    lost, answered = await turns.road.attempts(record)
    assert (await turns.found(record)).cost == answered.cost > 0
    assert await turns.booked() == lost.cost + answered.cost
    assert await turns.charged() == nano_dollars(lost.cost + answered.cost)


async def test_a_summary_under_way_is_booked_where_its_turn_is_stopped(
    lonely: Stack, turns: Turns
) -> None:
    words = "of a long and winding talk about nothing that is worth a summary"
    turns.provider.behave(Kind.HANG, contains=words, times=1)
    said = [{"role": "user", "content": f"Item {number} {words}."} for number in range(61)]
    record = await turns.road.accept("", wake=False, tenant_id=turns.tenant, body={"input": said})
    async with open_runtime(lonely.settings) as pipeline:
        turn = asyncio.create_task(pipeline.run(record.id))
        await turns.asked(words)
        turn.cancel()
        with pytest.raises(asyncio.CancelledError):
            await turn

    (cut,) = await turns.road.attempts(record)
    assert (cut.error_class, cut.is_estimated) == ("abandoned", True)
    assert await turns.booked() == cut.cost > 0
    assert (await turns.found(record)).cost is None, "it is back in the queue"


async def _cancel_as_a_door_does(turns: Turns, record: MessageRecord) -> None:
    cancelled = await turns.road.ledger.cancel(record.id, tenant_id=turns.tenant)
    assert cancelled is not None
    assert cancelled.state is ResponseState.CANCELLED
    reservations = Reservations(turns.redis, SystemClock())
    await reservations.cancel(
        turns.tenant, None, message_id=record.id, estimated_tokens=0, has_begun=True
    )
    await reservations.close()
