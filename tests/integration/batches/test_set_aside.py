"""What a batch sets aside: whoever is killed and when, it is what the ledger says of its lines."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from shared.batches.batch import Batch, BatchEstimate, NewBatch
from shared.batches.batch_budget import BatchBudget, set_aside_each
from shared.batches.state import BatchEndpoint
from shared.clock import SystemClock
from shared.costs.budget import Budgets
from shared.costs.ceiling import call_ceiling
from shared.costs.price import nano_dollars
from shared.costs.prices import Prices
from shared.costs.purse import Purse
from shared.costs.till import Caps, Till
from shared.identifiers import BATCH, new_id
from shared.messages.state import TERMINAL, ResponseState
from shared.persistence.tenants import TenantRepository
from shared.reservations.reservations import Reservations, budget_key, slots_key
from shared.settings.door import LimitSettings
from tests.integration.batches.bench import Bench, chat, lines_of
from tests.integration.costs.budgeted import PRICE, PROVIDER

CAP: Final = Decimal(1)
EACH: Final = nano_dollars(Decimal("0.004"))
CEILING: Final = call_ceiling(size_bytes=856, messages=1, max_output_tokens=900)
"""0.01 dollars: more than a line's part."""
EVENTS: Final = ("batch", "begin", "call", "end", "end", "cancel", "flush", "look")
KILLED: Final = st.booleans()


@dataclass
class Account:
    """One tenant's batches, and the account that they share with its messages."""

    bench: Bench
    till: Till
    worker: Reservations
    budget: BatchBudget
    redis: Redis
    tenant: str = field(default_factory=lambda: new_id("ten"))
    batches: list[Batch] = field(default_factory=list)

    async def happens(self, event: str, place: int, is_killed: bool) -> None:
        """`is_killed` says that whoever does it dies before its last statement."""
        match event:
            case "batch":
                await self._asks(1 + place, is_killed=is_killed)
            case "begin" | "call" | "end":
                await self._goes_on(event, place, is_killed=is_killed)
            case "cancel" if self.batches:
                of = self.batches[place % len(self.batches)]
                await self.bench.catalogue.cancel(of.id, tenant_id=self.tenant)
            case "flush":
                await self.redis.flushdb()
            case _:
                await self.look()

    async def reserve(self, batch_id: str, lines: int) -> bool:
        return await self.budget.reserve(self.tenant, batch_id, lines * EACH, CAP)

    async def ask(self, lines: int) -> Batch:
        """A batch of so many lines, in the ledger."""
        batch_id = new_id(BATCH)
        assert await self.reserve(batch_id, lines)
        return await self._commit(batch_id, lines)

    def purse(self, message_id: str, **more: object) -> Purse:
        deadline = SystemClock().now() + SystemClock().now().resolution * 60_000_000
        told = {"tenant_id": self.tenant, "message_id": message_id, "deadline": deadline}
        return Purse(self.till, **told, **more)  # type: ignore[arg-type]

    async def call(self, message_id: str) -> bool:
        """Whether it may call somebody."""
        allotment = await self.budget.allotment(message_id)
        stake = await self.purse(message_id, allotment=allotment).stake("own", "m", CEILING)
        return stake is not None

    async def look(self) -> None:
        for of in self.batches:
            await self.budget.keep(await self.now(of))

    async def now(self, of: Batch) -> Batch:
        return await self.bench.catalogue.find(of.id, tenant_id=self.tenant)

    async def entries(self) -> dict[str, int]:
        """What each batch and each message has reserved, and all of it."""
        found = await self.redis.hgetall(budget_key(self.tenant))
        told = {_text(name): int(value) for name, value in found.items()}
        return {name: told[name] for name in told if name not in {"day", "spent"}}

    def ended(self) -> dict[str, object]:
        return {"state": ResponseState.COMPLETED, "finished_at": self.bench.clock.now()}

    async def let_leases_run_out(self) -> None:
        key = slots_key(self.tenant)
        for each in await self.redis.zrange(key, 0, -1):
            await self.redis.zadd(key, {_text(each): 1})

    async def _asks(self, lines: int, *, is_killed: bool) -> None:
        batch_id = new_id(BATCH)
        if await self.reserve(batch_id, lines) and not is_killed:
            await self._commit(batch_id, lines)

    async def _commit(self, batch_id: str, lines: int) -> Batch:
        content = lines_of(*(chat(n, f"{batch_id} {n}") for n in range(lines)))
        file = await self.bench.file(content)
        new = NewBatch(
            tenant_id=self.tenant,
            endpoint=BatchEndpoint.CHAT_COMPLETIONS,
            content_id=file.content_id,
            input_bytes=file.bytes,
            input_file_id=file.id,
            window_seconds=3600,
        )
        estimate = BatchEstimate(
            lines, 1, 1, standard_cost=lines * Decimal(EACH).scaleb(-9), eta_seconds=None
        )
        made = await self.bench.catalogue.create(
            new,
            batch_id=batch_id,
            estimate=estimate,
            set_aside_each=set_aside_each(estimate),
        )
        self.batches.append(made)
        await self.bench.expander()
        return await self.now(made)

    async def _goes_on(self, event: str, place: int, *, is_killed: bool) -> None:
        ids = [each.id for each in await self.bench.messages() if each.tenant_id == self.tenant]
        if not ids:
            return
        chosen = ids[place % len(ids)]
        record = next(each for each in await self.bench.messages() if each.id == chosen)
        if record.state in TERMINAL:
            return
        if event in {"begin", "call"}:
            await self.bench.set(chosen, state=ResponseState.IN_PROGRESS, attempt=1)
        if event == "call":
            await self.call(chosen)
        if event == "end":
            await self.bench.set(chosen, **self.ended())
            if not is_killed:
                await self.till.settle(self.tenant, chosen, cost=EACH // 2)


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


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


async def test_a_redis_that_was_flushed_sets_aside_again_what_has_not_ended(
    account: Account,
) -> None:
    of = await account.ask(200)
    await account.redis.flushdb()
    await account.look()
    assert (await account.entries())[of.id] == 200 * EACH
    assert not await account.reserve("batch_another", 51)
