"""A tenant with a schedule of each kind, on either database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.batches.batch import Batch
from shared.batches.catalogue import BatchCatalogue
from shared.clock import ManualClock
from shared.index.collections.catalogue import CollectionCatalogue
from shared.index.jobs.index_jobs import IndexJobs
from shared.index.jobs.job import IndexJob
from shared.persistence.engine import Database
from shared.schedules.schedule import Schedule, ScheduledJob
from shared.schedules.schedule_round import ScheduleRound
from shared.schedules.schedules import Schedules
from shared.schedules.tables import ScheduledKind
from tests.integration.persistence.conftest import database, settings

__all__ = ["database", "settings"]

TENANT = "ten_1"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 5, 4, 12, tzinfo=UTC))


@dataclass(frozen=True)
class Planner:
    """Adds schedules, and looks at what they began."""

    database: Database
    clock: ManualClock

    @property
    def schedules(self) -> Schedules:
        return Schedules(self.database, self.clock)

    def round(self) -> ScheduleRound:
        """As one worker does it."""
        return ScheduleRound(self.database, self.clock)

    async def nightly_index(self, **more: Any) -> Schedule:
        """Into a collection, at 02:30 in Zurich."""
        made = await CollectionCatalogue(self.database, self.clock).create(TENANT, name="docs")
        job = ScheduledJob(source="folder:/srv/docs", collection_id=made.id)
        fields = {"cron": "30 2 * * *", "zone": "Europe/Zurich", **more}
        return await self.schedules.add(
            TENANT, "nightly", kind=ScheduledKind.INDEX, job=job, **fields
        )

    async def hourly_batch(self, file_id: str) -> Schedule:
        job = ScheduledJob(file_id=file_id, endpoint="/v1/responses", window_seconds=3_600)
        return await self.schedules.add(
            TENANT, "hourly", kind=ScheduledKind.BATCH, cron="0 * * * *", zone="UTC", job=job
        )

    async def jobs(self) -> list[IndexJob]:
        return [*await IndexJobs(self.database, self.clock).list(TENANT, limit=100)]

    async def batches(self) -> list[Batch]:
        return [*await BatchCatalogue(self.database, self.clock).list(TENANT, limit=100)]


@pytest.fixture
async def planner(database: Database, clock: ManualClock) -> Planner:
    return Planner(database, clock)
