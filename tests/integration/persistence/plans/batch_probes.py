"""The statements of batches, and how to run them on a full ledger."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from shared.batches.batch import Batch, NewBatch
from shared.batches.batch_budget import BatchBudget
from shared.batches.catalogue import BatchCatalogue
from shared.batches.items import BatchItems
from shared.batches.state import BatchEndpoint, BatchState
from shared.batches.work import BatchWork, Expanded, NewLine
from shared.clock import Clock
from shared.messages.record import MessageRecord
from shared.persistence.engine import Database
from shared.persistence.ledger.accepting import AcceptGroup


@dataclass(frozen=True)
class FullBench:
    """What the statements of batches are run with."""

    database: Database
    clock: Clock
    messages: list[MessageRecord]

    @cached_property
    def catalogue(self) -> BatchCatalogue:
        return BatchCatalogue(self.database, self.clock)

    @cached_property
    def work(self) -> BatchWork:
        accepting = AcceptGroup(self.database, wake_after_seconds=15)
        return BatchWork(self.database, self.clock, accepting)

    @cached_property
    def items(self) -> BatchItems:
        return BatchItems(self.database)

    async def one(self, batch_id: str) -> Batch:
        return await self.catalogue.find(batch_id, tenant_id="ten_1")


async def _expand(bench: FullBench) -> object:
    lines = [
        NewLine(line=90_000 + n, custom_id="c", message_id=each.id)
        for n, each in enumerate(bench.messages)
    ]
    group = Expanded(
        begin_bytes=0,
        cursor_bytes=9,
        cursor_line=9,
        lines=lines,
        messages=bench.messages,
        is_last=False,
    )
    state = await bench.work.expand(await bench.one("batch_o3"), group)
    assert state is BatchState.IN_PROGRESS
    return state


async def _create(bench: FullBench) -> object:
    new = NewBatch(
        tenant_id="ten_1",
        endpoint=BatchEndpoint.RESPONSES,
        content_id="cont_n1",
        input_bytes=1,
        window_seconds=60,
    )
    return await bench.catalogue.create(new)


async def _allotment(bench: FullBench) -> object:
    till: Any = None  # money is of no matter to the ledger
    budget = BatchBudget(bench.database, till, bench.clock)
    (item, *_) = await bench.items.page(await bench.one("batch_o1"), limit=1)
    assert item.message is not None
    return await budget.allotment(item.message.id)


async def _page(bench: FullBench) -> object:
    return await bench.items.page(await bench.one("batch_o1"), after_line=2_000, limit=100)


async def _waiting(bench: FullBench) -> object:
    return await bench.items.waiting(await bench.one("batch_o2"), after_line=2_000, limit=200)


async def _move(bench: FullBench) -> object:
    return await bench.work.move(await bench.one("batch_o4"), BatchState.FINALIZING)


async def _count(bench: FullBench) -> object:
    return await bench.work.count(await bench.one("batch_o4"), total=9)


_BatchProbe = Callable[[FullBench], Awaitable[object]]


def _on_a_ledger(probe: _BatchProbe) -> Callable[[Any], Awaitable[object]]:
    return lambda full: probe(FullBench(full.database, full.clock, full.arrivals("line")))


_PROBES: Final[dict[str, _BatchProbe]] = {
    "BatchCatalogue.create": _create,
    "BatchCatalogue.find": lambda bench: bench.one("batch_o5"),
    "BatchCatalogue.list": lambda bench: bench.catalogue.list("ten_1", limit=101),
    "BatchCatalogue.cancel": lambda bench: bench.catalogue.cancel("batch_o6", tenant_id="ten_1"),
    "BatchBudget.allotment": _allotment,
    "BatchItems.page": _page,
    "BatchItems.waiting": _waiting,
    "BatchWork.open": lambda bench: bench.work.open(),
    "BatchWork.expand": _expand,
    "BatchWork.move": _move,
    "BatchWork.count": _count,
}
WATCHED_BATCHES: Final = {name: _on_a_ledger(probe) for name, probe in _PROBES.items()}
_OF_PROVIDERS: Final = "claim due end enqueued_tokens forget_old give_back holds_any pack postpone"
_OF_PROVIDERS_TOO: Final = "pull records split submitted took waiting"
PARTS_OF_BATCHES: Final = {
    # Watched in tests/integration/provider_batches, on a backlog of its own.
    **{
        f"ProviderBatchBook.{name}": "test_statements"
        for name in f"{_OF_PROVIDERS} {_OF_PROVIDERS_TOO}".split()
    },
    # New rows by their keys, as a settlement writes them.
    "ClaimGroup.charge": "SettleGroup.flush",
    "Budgets.booked_today": "Budgets.read",
    "BatchCatalogue.same": "BatchCatalogue.create",
    "BatchBudget.reserve": "Budgets.read",
    "BatchWork.refuse": "BatchWork.move",
    "BatchWork.begin": "BatchWork.move",
}
"""Methods that only hand over to another."""
OF_WHOLE_BATCHES: Final = {
    "BatchItems": {"counts", "unended", "usage"},
    "BatchCatalogue": {"delete"},
    "BatchBudget": {"keep", "release"},
    "LineCancelling": {"take_out"},
}
"""What is about all lines of one batch: who asks how far it is, once its end, who deletes it, who
looks for a line by its name."""
