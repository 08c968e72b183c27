"""What waits, and what was given up: lanes, dead letters, providers' batches, the index."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import bindparam, func, select, text

from shared.alerts.deciding import FigureReading
from shared.alerts.machine import FigureValue
from shared.alerts.unit import FigureUnit
from shared.batches.provider_tables import NOT_ENDED, provider_batch
from shared.clock import Clock
from shared.index.waiting_tenants import WaitingTenants
from shared.persistence.engine import Database
from shared.persistence.ledger.lane_load import LaneLoads
from shared.persistence.statements import reading
from shared.persistence.tables import dead_letter


class BacklogFigures:
    """Each costs a look at an index of what waits; all raise LedgerUnavailable."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._lanes = LaneLoads(database, clock)
        self._index = WaitingTenants(database, clock)

    async def oldest_wait(self, _window_seconds: float) -> FigureReading:
        """Seconds that the oldest message of each lane has waited."""
        loads = await self._lanes.lane_loads()
        return FigureReading(
            [
                FigureValue({"lane": lane}, load.oldest_seconds, FigureUnit.SECONDS)
                for lane, load in loads.items()
            ]
        )

    async def dead_letters(self, window_seconds: float) -> FigureReading:
        """How many were written within the window, by reason; without any there were none."""
        since = self._clock.now() - timedelta(seconds=window_seconds)
        async with reading(self._database.relaxed) as connection:
            rows = (await connection.execute(_DEAD, {"since": since})).all()
        return FigureReading(
            [FigureValue({"reason": row.reason}, float(row.number)) for row in rows], absent=0.0
        )

    async def batch_overdue(self, _window_seconds: float) -> FigureReading:
        """Seconds by which the batch that is latest of each model is behind its time."""
        now = self._clock.now()
        async with reading(self._database.relaxed) as connection:
            rows = (await connection.execute(_BATCHES)).all()
        return FigureReading(
            [
                FigureValue(
                    {"provider": row.provider, "model": row.model},
                    _behind(row.pull_at, now),
                    FigureUnit.SECONDS,
                )
                for row in rows
            ],
            absent=0.0,
        )

    async def index_behind(self, _window_seconds: float) -> FigureReading:
        """Seconds that the document of each tenant has waited that waits longest."""
        now, waiting = self._clock.now(), await self._index.oldest_documents()
        return FigureReading(
            [
                FigureValue({"tenant": tenant}, _behind(due_at, now), FigureUnit.SECONDS)
                for tenant, due_at in waiting.items()
            ],
            absent=0.0,
        )


def _behind(due_at: datetime, now: datetime) -> float:
    return max(0.0, (now - due_at).total_seconds())


_DEAD: Final = (
    select(dead_letter.c.reason, func.count().label("number"))
    .where(dead_letter.c.created_at > bindparam("since"))
    .group_by(dead_letter.c.reason)
)
_BATCHES: Final = (
    select(
        provider_batch.c.provider,
        provider_batch.c.model,
        func.min(provider_batch.c.pull_at).label("pull_at"),
    )
    .where(text(NOT_ENDED))
    .group_by(provider_batch.c.provider, provider_batch.c.model)
)
