"""Whatever is called in whatever order: what providers charge for a day stays below the cap."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from shared.clock import SystemClock
from shared.costs.budget import Budgets
from shared.costs.price import nano_dollars
from shared.costs.prices import Prices
from shared.costs.purse import Purse
from shared.costs.till import Caps, Till
from shared.persistence.engine import Database, open_database
from shared.persistence.tenants import TenantRepository
from shared.reservations.reservations import Reservations, budget_key
from shared.settings.door import LimitSettings
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings
from tests.integration.costs.budgeted import PRICE, PROVIDER, OpenDoor, open_door, tenant, worker
from tests.integration.costs.capped_day import CAP, CEILING, Day

__all__ = ["open_door", "worker"]  # fixtures
SHARES = st.sampled_from([0.0, 0.1, 0.5, 1.0])
EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("message"), st.just(0), SHARES),
        st.tuples(st.just("call"), st.integers(0, 7), SHARES),
        st.tuples(st.just("call ends"), st.integers(0, 7), SHARES),
        st.tuples(
            st.sampled_from(
                [
                    *("ends", "is abandoned", "is summarised", "is summarised ahead"),
                    *("is cancelled", "is stopped and cancelled"),
                ]
            ),
            st.integers(0, 7),
            SHARES,
        ),
    ),
    min_size=10,
    max_size=60,
)


@pytest.fixture
def clock() -> SystemClock:  # Redis keeps its own time
    return SystemClock()


@pytest.fixture
async def database(migrated_sqlite_url: str) -> AsyncIterator[Database]:
    opened = open_database(LedgerSettings(url=ServerUrl(migrated_sqlite_url)))
    yield opened
    await opened.close()


@pytest.fixture
async def till(
    redis_client: Redis, worker: Reservations, database: Database
) -> AsyncIterator[Till]:
    prices, clock = Prices([PRICE], [PROVIDER]), SystemClock()
    limits = LimitSettings(daily_budget=CAP)
    caps = Caps(TenantRepository(database, clock), limits, clock)
    opened = Till(redis_client, worker, caps, Budgets(database, prices, clock), prices, clock)
    yield opened
    await opened.close()


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(events=EVENTS)
async def test_no_day_costs_more_than_the_cap(
    open_door: OpenDoor,
    worker: Reservations,
    till: Till,
    redis_client: Redis,
    events: list[tuple[str, int, float]],
) -> None:
    day = Day(tenant(str(CAP)), open_door(), worker, till)
    key, cap = budget_key(day.owner.id), nano_dollars(CAP)
    for event in events:
        await day.happens(*event)
        spent, reserved = await redis_client.hmget(key, "spent", "reserved")
        assert day.billed <= int(spent or 0) + int(reserved or 0) <= cap, event
    while day.live:
        await day.happens("ends", 0, 1.0)
    spent, reserved = await redis_client.hmget(key, "spent", "reserved")
    assert (int(spent or 0), int(reserved or 0)) == (day.billed, 0)
    assert {*await redis_client.hkeys(key)} <= {b"day", b"spent", b"reserved"}, (
        "nothing is left behind"
    )


async def test_a_redis_that_was_flushed_is_told_again_what_was_spent(
    till: Till, redis_client: Redis
) -> None:
    owner = tenant(str(CAP))
    deadline = SystemClock().now() + timedelta(seconds=60)
    purse = Purse(till, tenant_id=owner.id, message_id="resp_1", deadline=deadline)
    assert await purse.stake("own", "m", CEILING)
    await redis_client.flushdb()
    others = [
        Purse(till, tenant_id=owner.id, message_id=f"resp_{n}", deadline=deadline)
        for n in range(2, 9)
    ]
    stakes = [await other.stake("own", "m", CEILING) for other in others]
    granted = [stake for stake in stakes if stake is not None]
    assert len(granted) == 5
    granted[0].bill(None)
    await others[0].settle()
    assert await others[6].stake("own", "m", CEILING)


async def test_a_call_without_a_price_reserves_nothing(till: Till, redis_client: Redis) -> None:
    owner = tenant(str(CAP))
    deadline = SystemClock().now() + timedelta(seconds=60)
    purse = Purse(till, tenant_id=owner.id, message_id="resp_1", deadline=deadline)
    assert await purse.stake("own", "nobody's", CEILING)
    assert not await redis_client.exists(budget_key(owner.id))
