"""The documents of these scenes: docs and code of Forebay itself, copied to be changed."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from deploy.cli.demo.scene import expect
from deploy.cli.demo.stage import Stage
from deploy.embedded.ledger import FIRST_TENANT
from indexer.sources.opening import source_name
from shared.clock import SystemClock
from shared.errors import InvalidRequest, NotFound
from shared.index.collections.catalogue import CollectionCatalogue
from shared.index.collections.collection import Collection
from shared.index.collections.figures import CollectionFigures, DocumentCounts
from shared.index.jobs.index_jobs import IndexJobs
from shared.index.jobs.job import IndexJob, JobProgress
from shared.index.states import JobState
from shared.persistence.tenants import TenantRepository
from shared.queueing.index_waker import IndexWaker, open_index_waker
from shared.settings import load_settings

NAME: Final = "forebay"
_ROOT: Final = Path(__file__).resolve().parents[5]
_USUAL_SHELVES: Final = ("docs", "shared")
_LOOK_SECONDS: Final = 0.1


def shelves_named(names: tuple[str, ...]) -> tuple[str, ...]:
    """These folders of the repository, or the usual ones that are there: installed without its
    repository Forebay has no docs. Raises InvalidRequest for one that is none of its folders."""
    if not names:
        return tuple(each for each in _USUAL_SHELVES if (_ROOT / each).is_dir())
    for name in names:
        shelf = (_ROOT / name).resolve()
        if not shelf.is_dir() or not shelf.is_relative_to(_ROOT) or shelf == _ROOT:
            raise InvalidRequest(
                f"--index {name!r} is no folder of Forebay's repository: name one as docs is named."
            )
    return names


class Library:
    """The copy, and the collection that is made of it."""

    def __init__(
        self, stage: Stage, folder: Path, collection: Collection, waker: IndexWaker
    ) -> None:
        self.folder = folder
        self.collection = collection
        self._jobs = IndexJobs(stage.database, SystemClock())
        self._figures = CollectionFigures(stage.database)
        self._waker = waker

    @property
    def file_search(self) -> dict[str, object]:
        """The tool of a message that is answered from it."""
        return {"type": "file_search", "vector_store_ids": [self.collection.id]}

    async def begin(self) -> IndexJob:
        """Have it indexed as it is now."""
        owner = self.collection.tenant_id
        job = await self._jobs.create(owner, self.collection.id, source_name(self.folder))
        self._waker.wake(job.id)
        return job

    async def until(self, job: IndexJob, *, share: float = 1.0) -> tuple[IndexJob, JobProgress]:
        """The job once that share of its documents is indexed, or once it has ended."""
        while True:
            job = await self._jobs.find(job.tenant_id, job.id)
            progress = (await self._jobs.progress(job.tenant_id, [job.id]))[job.id]
            is_far_enough = job.state is JobState.INDEXING and share < 1.0
            if is_far_enough and progress.completed >= share * job.changed:
                return job, progress
            if job.finished_at is not None:
                expect(job.state is JobState.COMPLETED, f"The job is {job.state}: {job.error}")
                return job, progress
            await asyncio.sleep(_LOOK_SECONDS)

    async def counts(self) -> DocumentCounts:
        """What the ledger says is in it."""
        owner, id_ = self.collection.tenant_id, self.collection.id
        return (await self._figures.counts(owner, [id_]))[id_]


@asynccontextmanager
async def open_library(stage: Stage) -> AsyncIterator[Library]:
    """Made where there is none, by the tenant of the stack; it may be indexed already."""
    folder = Path(stage.state.folder).with_name("library")
    if not folder.exists():
        await asyncio.to_thread(_copy, stage.shelves, folder)
    settings = load_settings(stage.environment)
    async with open_index_waker(settings.broker) as waker:
        yield Library(stage, folder, await _collection(stage), waker)


async def _collection(stage: Stage) -> Collection:
    owner = await TenantRepository(stage.database, SystemClock()).named(FIRST_TENANT)
    expect(owner, "The stack has no tenant.")
    assert owner is not None  # noqa: S101 - said above
    catalogue = CollectionCatalogue(stage.database, SystemClock())
    try:
        return await catalogue.named(owner.id, NAME)
    except NotFound:
        return await catalogue.create(owner.id, name=NAME)


def _copy(shelves: tuple[str, ...], folder: Path) -> None:
    for shelf in shelves:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(_ROOT / shelf, folder / shelf, ignore=ignored, dirs_exist_ok=True)
