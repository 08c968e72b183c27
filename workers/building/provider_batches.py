"""The executor of provider batches of one worker process, where a provider takes batches."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Final

from shared.clock import Clock
from shared.persistence.ledger.leadership import led
from shared.persistence.ledger.role_leases import RoleLease
from shared.resilience.periodic import repeat, running
from shared.settings.providers import ProviderSettings
from shared.telemetry.metrics import Metrics
from workers.building.caching import AnswerCaching
from workers.building.chain import AnswerParts
from workers.building.recall import open_files
from workers.pipeline import ForSearches, Step
from workers.providers.wire.http.connections import ProviderConnections
from workers.steps.remember import Remember

# Most workers have no such provider, and load nothing of it.
if TYPE_CHECKING:
    from shared.batches.provider_batches import ProviderBatchBook
    from workers.batching.provider_batches.batched_turns import BatchedTurns
    from workers.batching.provider_batches.executor import ProviderBatches

_ROLE: Final = "provider batches"
_ROUNDS_PER_LEASE: Final = 4


async def open_provider_batches(
    stack: AsyncExitStack,
    parts: AnswerParts,
    before: Sequence[Step | ForSearches],
    retrieve: ForSearches,
    *,
    caching: AnswerCaching,
    remember: Remember,
    told: Sequence[Step],
    worker: str,
) -> None:
    """Packs and attends until the stack is closed, in one worker process at a time.

    `before` and `retrieve` come before an answer, `told` once the end of its turn is written.
    Raises SettingsError for a provider that cannot be built.
    """
    settings, database, clock = parts.settings, parts.database, parts.clock
    if all(each.batch is None for each in settings.providers):
        return
    from shared.batches.provider_batches import ProviderBatchBook
    from workers.batching.provider_batches.batched_turns import BatchedTurns

    # Facts are looked up anew behind the batch, and stand in the key of what is stored: what a
    # model said of others must not be found under these.
    after_batch = () if settings.facts.sources else caching.after_batch
    turns = BatchedTurns(
        (*before, *caching.before_batch, retrieve),
        (*before, *after_batch, retrieve),
        answering=parts.step,
        files=open_files(database, clock),
        meter=parts.meter,
        remember=remember,
        told=(*told, *caching.afterwards),
        clock=clock,
    )
    connections = await stack.enter_async_context(ProviderConnections())
    book = ProviderBatchBook(database, clock)
    executor = build_executor(
        settings.providers, connections, book, turns, metrics=parts.metrics, clock=clock
    )
    stack.push_async_callback(executor.close)
    every = settings.ledger.sweep_seconds
    seconds = every * _ROUNDS_PER_LEASE
    lease = RoleLease(database, clock, role=_ROLE, holder=worker, lease_seconds=seconds)
    a_round = await stack.enter_async_context(led(lease, executor))
    await stack.enter_async_context(running(repeat(_ROLE, a_round, every_seconds=every)))


def build_executor(
    providers: Sequence[ProviderSettings],
    connections: ProviderConnections,
    book: ProviderBatchBook,
    turns: BatchedTurns,
    *,
    metrics: Metrics,
    clock: Clock,
) -> ProviderBatches:
    """Of the providers that take batches, in the order of the chain."""
    from workers.batching.provider_batches.attending import Attending
    from workers.batching.provider_batches.executor import ProviderBatches
    from workers.batching.provider_batches.packing import Packing
    from workers.batching.provider_batches.result_taking import ResultTaking
    from workers.providers.batching.building import build_batch_provider

    every_packing: list[Packing] = []
    attending: dict[str, Attending] = {}
    for each in providers:
        if each.batch is None:
            continue
        provider = build_batch_provider(each, connections)
        packing = Packing(
            provider, each.batch, book=book, turns=turns, metrics=metrics, clock=clock
        )
        taking = ResultTaking(provider, book=book, turns=turns, metrics=metrics)
        attending[each.name] = Attending(
            provider, each.batch, packing, taking, book=book, metrics=metrics, clock=clock
        )
        every_packing.append(packing)
    return ProviderBatches(every_packing, attending, book=book, clock=clock)
