"""Batches of every tenant, the newest first, with how far each is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import msgspec
from sqlalchemy import Select, select

from shared.batches.batch import Batch, BatchCounts, BatchFault, batch_of
from shared.batches.state import BatchEndpoint, BatchState, BatchSurface
from shared.batches.tables import batch
from shared.clock import Clock
from shared.errors import NotFound
from shared.persistence.engine import Database
from shared.persistence.statements import reading
from shared.storable_text import is_storable
from shared.views.batch_progress import BatchStanding, ProgressOfBatches

FAULTS_TOLD: Final = 20
LINES_IN_LIST: Final = 100
"""Lines that are looked at of each batch of a list that has not ended."""


class BatchRow(msgspec.Struct, frozen=True, kw_only=True):
    """One batch. Amounts are US dollars; `cost_at_end` and `ends_at` are expectations.

    `is_sampled` says that the counts and the cost are told by some of its lines, evenly spaced: of
    a large batch that has not ended.
    """

    id: str
    tenant_id: str
    surface: BatchSurface
    endpoint: BatchEndpoint
    model: str | None
    state: BatchState
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    total: int | None
    counts: BatchCounts
    is_sampled: bool
    cost: Decimal | None
    cost_at_end: Decimal | None
    ends_at: datetime | None
    faults: Sequence[BatchFault]
    output_file_id: str | None
    error_file_id: str | None


class BatchPage(msgspec.Struct, frozen=True, kw_only=True):
    """`next` is the id behind which the next page begins, None where nothing is left."""

    rows: Sequence[BatchRow]
    next: str | None


class BatchPages:
    """Pages of batches, and one of them; everything raises LedgerUnavailable."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._progress = ProgressOfBatches(database, looked_at=LINES_IN_LIST)
        self._whole = ProgressOfBatches(database)

    async def page(
        self, *, tenant_id: str | None = None, before: str | None = None, limit: int
    ) -> BatchPage:
        """From behind the id `before` on."""
        found = _NEWEST
        if tenant_id is not None:
            found = found.where(batch.c.tenant_id == tenant_id)
        if before is not None:
            found = found.where(batch.c.id < before)
        async with reading(self._database.relaxed) as connection:
            batches = [*map(batch_of, await connection.execute(found.limit(limit)))]
        progress = await self._progress.of(batches)
        rows = [self._row(each, told) for each, told in zip(batches, progress, strict=True)]
        return BatchPage(rows=rows, next=rows[-1].id if len(rows) == limit else None)

    async def one(self, batch_id: str) -> BatchRow:
        """Raises NotFound."""
        found = None
        if is_storable(batch_id):
            async with reading(self._database.relaxed) as connection:
                of_id = select(batch).where(batch.c.id == batch_id)
                found = (await connection.execute(of_id)).one_or_none()
        if found is None:
            raise NotFound(f"There is no batch '{batch_id[:64]}'. It was deleted, or never there.")
        known = batch_of(found)
        (told,) = await self._whole.of([known])
        return self._row(known, told)

    def _row(self, of: Batch, told: BatchStanding) -> BatchRow:
        ended = of.completed_at or of.failed_at or of.expired_at or of.cancelled_at
        return BatchRow(
            id=of.id,
            tenant_id=of.tenant_id,
            surface=of.surface,
            endpoint=of.endpoint,
            model=of.model,
            state=of.state,
            created_at=of.created_at,
            expires_at=of.expires_at,
            ended_at=ended,
            total=of.total,
            counts=told.counts,
            is_sampled=told.is_sampled,
            cost=told.cost,
            cost_at_end=_cost_at_end(of, told),
            ends_at=_end(of, told.counts, self._clock.now()),
            faults=(of.errors or ())[:FAULTS_TOLD],
            output_file_id=of.output_file_id,
            error_file_id=of.error_file_id,
        )


def _cost_at_end(of: Batch, told: BatchStanding) -> Decimal | None:
    """By what its lines have cost so far, or as its validation counted it."""
    if of.state.is_terminal:
        return told.cost
    ended = told.counts.total - told.counts.waiting
    if told.cost and ended:
        return told.cost * told.counts.total / ended
    return None if of.estimate is None else of.estimate.cost


def _end(of: Batch, counts: BatchCounts, now: datetime) -> datetime | None:
    """By how many lines have ended by now, or as it was estimated; never in the past."""
    if of.state.is_terminal:
        return None
    began, ended = of.in_progress_at, counts.total - counts.waiting
    if began is not None and ended:
        return now + (now - began) * counts.waiting / ended
    if of.estimate is None or of.estimate.eta_seconds is None:
        return None
    return max(now, (began or of.created_at) + timedelta(seconds=of.estimate.eta_seconds))


_NEWEST: Final[Select[Any]] = select(batch).order_by(batch.c.id.desc())
