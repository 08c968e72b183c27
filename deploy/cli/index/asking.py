"""What `forebay index` asks of the ledger, and whom it wakes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.cli.index.tenant import open_index
from shared.clock import SystemClock
from shared.errors import NotFound
from shared.index.collections.catalogue import CollectionCatalogue
from shared.index.jobs.index_jobs import IndexJobs
from shared.queueing.index_waker import open_index_waker

if TYPE_CHECKING:
    from shared.index.collections.collection import Collection
    from shared.index.jobs.job import IndexJob
    from shared.queueing.index_waker import IndexWaker
    from shared.settings import Settings


class Indexing:
    """Jobs of one tenant; everything raises LedgerUnavailable."""

    def __init__(
        self,
        settings: Settings,
        tenant_id: str,
        *,
        catalogue: CollectionCatalogue,
        jobs: IndexJobs,
        waker: IndexWaker,
    ) -> None:
        self.settings = settings
        self.jobs = jobs
        self._tenant_id = tenant_id
        self._catalogue = catalogue
        self._waker = waker

    async def collection(self, name_or_id: str) -> Collection:
        """That one, made where there is none; raises Conflict where several have the name."""
        try:
            return await self._catalogue.named(self._tenant_id, name_or_id)
        except NotFound:
            return await self._catalogue.create(self._tenant_id, name=name_or_id)

    async def begin(self, root: Path, into: Collection, *, remove_anyway: bool) -> IndexJob:
        """A job for the folder; raises InvalidRequest where git refuses it."""
        from indexer.sources.opening import source_name

        job = await self.jobs.create(
            self._tenant_id, into.id, source_name(root), remove_anyway=remove_anyway
        )
        self._waker.wake(job.id)
        return job


@asynccontextmanager
async def open_indexing(tenant: str | None) -> AsyncIterator[Indexing]:
    """Raises what `open_index` raises."""
    clock = SystemClock()
    async with (
        open_index(tenant) as (database, settings, tenant_id),
        open_index_waker(settings.broker) as waker,
    ):
        yield Indexing(
            settings,
            tenant_id,
            catalogue=CollectionCatalogue(database, clock),
            jobs=IndexJobs(database, clock),
            waker=waker,
        )
