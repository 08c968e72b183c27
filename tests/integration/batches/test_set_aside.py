"""What a batch sets aside: whoever is killed and when, it is what the ledger says of its lines."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Final

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from shared.batches.batch_budget import BatchBudget
from shared.clock import SystemClock
from shared.costs.budget import Budgets
from shared.costs.price import nano_dollars
from shared.costs.prices import Prices
from shared.costs.till import Caps, Till
from shared.identifiers import PROVIDER_BATCH, new_id
from shared.messages.state import TERMINAL, ResponseState
from shared.persistence.tenants import TenantRepository
from shared.reservations.reservations import Reservations
from shared.settings.door import LimitSettings
from tests.integration.batches.account import CAP, CEILING, EACH, Account
from tests.integration.batches.bench import Bench
from tests.integration.costs.budgeted import PRICE, PROVIDER

EVENTS: Final = ("batch", "begin", "call", "end", "end", "cancel", "flush", "look")
KILLED: Final = st.booleans()


@pytest.fixture
async def account(sqlite_bench: Bench, redis_client: Redis) -> AsyncIterator[Account]:
    clock, database = SystemClock(), sqlite_bench.database
    prices = Prices([PRICE], [PROVIDER])
    worker = Reservations(redis_client, clock)
    caps = Caps(TenantRepository(database, clock), LimitSettings(daily_budget=CAP), clock)
    till = Till(redis_client, worker, caps, Budgets(database, prices, clock), prices, clock)
    budget = sqlite_bench.budget = BatchBudget(database, till, clock)
    sqlite_bench.expander, sqlite_bench.collector = (
        sqlite_bench.expanding(),
        sqlite_bench.collecting(),
    )
    yield Account(sqlite_bench, till, worker, budget, redis_client)
    await till.close()
    await worker.close()


@settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(events=st.lists(st.tuples(st.sampled_from(EVENTS), st.integers(0, 7), KILLED), min_size=12))
async def test_whatever_happens_a_look_makes_it_what_the_ledger_says_and_ends_leave_nothing(
    account: Account, events: list[tuple[str, int, bool]]
) -> None:
    own = Account(account.bench, account.till, account.worker, account.budget, account.redis)
    for event in events[:25]:
        await own.happens(*event)
        found = await own.entries()
        assert found.pop("reserved", 0) == sum(found.values()), event
    await own.look()
    for of in own.batches:
        rows = {each.id: each for each in await own.bench.messages()}
        mine = [rows[key] for _, _, key in await own.bench.lines(of) if key is not None]
        unended = [each for each in mine if each.state not in TERMINAL]
        unbegun = [each for each in unended if each.attempt == 0]
        is_running = not (await own.now(of)).cancelling_at
        held = (await own.entries()).get(of.id, 0)
        assert len(unbegun) * EACH * is_running <= held <= len(unended) * EACH * is_running
    for of in own.batches:
        for each in await own.bench.messages():
            if each.state not in TERMINAL:
                await own.bench.set(each.id, **own.ended())
        await own.bench.expander()
        await own.bench.collector()
        await own.bench.collector()
        assert (await own.now(of)).state.is_terminal
        assert of.id not in await own.entries()
    await own.let_leases_run_out()
    await own.look()
    await own.reserve("nobody", 0)
    assert {name: held for name, held in (await own.entries()).items() if held} == {}


async def test_of_two_batches_asked_for_together_that_one_day_cannot_pay_one_is_granted(
    account: Account,
) -> None:
    granted = await asyncio.gather(*(account.reserve(f"batch_{n}", 150) for n in range(2)))
    assert sorted(granted) == [False, True]


async def test_what_is_set_aside_is_no_other_messages_and_a_line_counts_once(
    account: Account,
) -> None:
    of = await account.ask(249)
    first, second, *_ = [key for _, _, key in await account.bench.lines(of) if key]
    other = account.purse("resp_other")
    assert await other.stake("own", "m", CEILING) is None, "0.004 dollars are left"
    assert await account.call(first)
    assert await account.call(second), "what its calls may cost beyond its part is the batch's"
    found = await account.entries()
    assert found[of.id] == 247 * EACH
    assert found[first] == found[second] == nano_dollars(Decimal("0.01"))
    await account.till.settle(account.tenant, first, cost=EACH // 2)
    await account.till.settle(account.tenant, second, cost=EACH // 2)
    assert await account.entries() == {of.id: 247 * EACH, "reserved": 247 * EACH}
    assert await other.stake("own", "m", CEILING) is None


async def test_a_line_that_ends_without_a_call_gives_its_part_to_others(account: Account) -> None:
    of = await account.ask(249)
    other = account.purse("resp_other")
    assert await other.stake("own", "m", CEILING) is None
    await account.bench.answer([key for _, _, key in await account.bench.lines(of) if key][:9])
    await account.look()
    assert await other.stake("own", "m", CEILING) is not None


async def test_what_a_providers_batch_holds_stays_set_aside_while_others_of_it_end(
    account: Account,
) -> None:
    of = await account.ask(10)
    ids = [key for _, _, key in await account.bench.lines(of) if key]
    for each in ids:
        held = {"state": ResponseState.IN_PROGRESS, "attempt": 1}
        await account.bench.set(each, claimed_by=new_id(PROVIDER_BATCH), **held)
    await account.bench.set(ids[0], **account.ended())
    await account.look()
    assert (await account.entries())[of.id] == 9 * EACH
    await account.bench.set(ids[1], state=ResponseState.QUEUED)
    await account.look()
    assert (await account.entries())[of.id] == 9 * EACH, "it was taken back, and is not paid for"


async def test_a_redis_that_was_flushed_sets_aside_again_what_has_not_ended(
    account: Account,
) -> None:
    of = await account.ask(200)
    await account.redis.flushdb()
    await account.look()
    assert (await account.entries())[of.id] == 200 * EACH
    assert not await account.reserve("batch_another", 51)
