"""One tenant's account with a daily budget, and its batches in a ledger."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from redis.asyncio import Redis

from shared.batches.batch import Batch, BatchEstimate, NewBatch
from shared.batches.batch_budget import BatchBudget, set_aside_each
from shared.batches.state import BatchEndpoint
from shared.clock import SystemClock
from shared.costs.ceiling import call_ceiling
from shared.costs.price import nano_dollars
from shared.costs.purse import Purse
from shared.costs.till import Till
from shared.identifiers import BATCH, new_id
from shared.messages.state import TERMINAL, ResponseState
from shared.reservations.reservations import Reservations, budget_key, slots_key
from tests.integration.batches.bench import Bench, chat, lines_of

CAP: Final = Decimal(1)
EACH: Final = nano_dollars(Decimal("0.004"))
CEILING: Final = call_ceiling(size_bytes=856, messages=1, max_output_tokens=900)
"""0.01 dollars: more than a line's part."""


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
