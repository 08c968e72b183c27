"""Taking the results of a batch: each settles its message, or costs what it cost, once."""

from __future__ import annotations

import asyncio
from typing import Final

from shared.batches.provider_batch import ProviderBatch
from shared.batches.provider_batches import ProviderBatchBook
from shared.errors import Unavailable
from shared.messages.record import MessageRecord
from shared.messages.state import ResponseState
from shared.persistence.ledger.worker_lease import Lease
from shared.telemetry.logs import get_logger
from shared.telemetry.metrics import Metrics
from workers.batching.provider_batches.batched_turns import BatchedTurns, ItemEnd
from workers.batching.provider_batches.item_names import lease_in
from workers.providers.batching.batch_provider import BatchProvider, BatchResult
from workers.providers.failures import ProviderError

_SIDE_BY_SIDE: Final = 64
_ENDED_HERE: Final = frozenset(
    state
    for state in ResponseState
    if (state.is_terminal or state is ResponseState.REQUIRES_ACTION)
    and state is not ResponseState.CANCELLED
)
"""How a message stands that a result of this claim has settled."""


class ResultTaking:
    """Order says nothing, results may come twice and be anybody's. What is settled stays so, and
    may be told again; the fence decides. Raises ProviderError and Unavailable."""

    def __init__(
        self,
        provider: BatchProvider,
        *,
        book: ProviderBatchBook,
        turns: BatchedTurns,
        metrics: Metrics,
    ) -> None:
        self._provider = provider
        self._book = book
        self._turns = turns
        self._items = metrics.provider_batch_items
        self._log = get_logger(__name__)

    async def take_all(self, batch: ProviderBatch) -> None:
        """Every result that the provider has of it."""
        if batch.remote_id is None:
            return
        some: dict[Lease, BatchResult] = {}
        try:
            async for result in self._provider.results(batch.remote_id):
                self._put(batch, result, some)
                if len(some) >= _SIDE_BY_SIDE:
                    await self._take(batch, some)
                    some = {}
        except ProviderError:
            # What came before the cut stands.
            await self._take(batch, some)
            raise
        await self._take(batch, some)

    def _put(
        self, batch: ProviderBatch, result: BatchResult, some: dict[Lease, BatchResult]
    ) -> None:
        lease = lease_in(batch.id, result.custom_id)
        if lease is None:
            self._count("unknown")
            self._log.warning("result_of_nobody", batch=batch.id)
        elif lease in some:
            self._count("repeated")
        else:
            some[lease] = result

    async def _take(self, batch: ProviderBatch, some: dict[Lease, BatchResult]) -> None:
        records = await self._book.records([lease.message_id for lease in some])
        known = [
            (lease, record, result)
            for lease, result in some.items()
            if (record := records.get(lease.message_id)) is not None
        ]
        taken = [self._take_one(batch, *each) for each in known]
        ends = await asyncio.gather(*taken, return_exceptions=True)
        failed = [
            lease.message_id
            for (lease, _, _), end in zip(known, ends, strict=True)
            if end is ItemEnd.FAILED
        ]
        if failed:
            await self._book.give_back(batch.id, failed)
        for end in ends:
            if isinstance(end, BaseException):
                raise end

    async def _take_one(
        self, batch: ProviderBatch, lease: Lease, record: MessageRecord, result: BatchResult
    ) -> ItemEnd | None:
        """What became of it; None where nothing is to be done."""
        is_this_claim = record.claimed_by == batch.id and record.attempt == lease.attempt
        if is_this_claim and record.state in _ENDED_HERE:
            self._count("repeated")
            return None
        if result.unrun:
            self._count("unrun")
            return ItemEnd.FAILED if is_this_claim else None
        try:
            if is_this_claim and record.state is ResponseState.IN_PROGRESS:
                end = await self._settle(batch, record, result)
            else:
                await self._lose(batch, lease, record, result)
                end = ItemEnd.LOST
        except Unavailable:
            raise
        except Exception:  # noqa: BLE001 - one item's fault is not another's
            # One item's fault must not keep the others of its batch, nor itself from an answer.
            self._log.exception("result_failed", batch=batch.id, message_id=record.id)
            end = ItemEnd.FAILED
        self._count(end)
        return end

    async def _settle(
        self, batch: ProviderBatch, record: MessageRecord, result: BatchResult
    ) -> ItemEnd:
        at = batch.submitted_at or batch.created_at
        return await self._turns.settle(record, self._provider, result, submitted_at=at)

    async def _lose(
        self, batch: ProviderBatch, lease: Lease, record: MessageRecord, result: BatchResult
    ) -> None:
        at = batch.submitted_at or batch.created_at
        await self._turns.book_lost(
            record, self._provider, result, attempt=lease.attempt, submitted_at=at
        )

    def _count(self, end: str) -> None:
        self._items.labels(self._provider.name, end).inc()
