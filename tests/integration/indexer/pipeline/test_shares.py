"""Tenants share an indexer: no job of one holds up what another has waiting."""

from __future__ import annotations

import asyncio

import pytest

from indexer.crew import IndexCrew
from indexer.scanning import SourceScanning, Wake
from shared.identifiers import TENANT, new_id
from shared.index.collections.catalogue import CollectionCatalogue
from shared.index.generation_name import generation_name
from shared.index.jobs.index_jobs import IndexJobs
from shared.index.states import JobState
from shared.queueing.index_waker import open_index_waker
from shared.settings.secret import ServerUrl
from shared.settings.servers import BrokerSettings
from tests.integration.indexer.pipeline.indexing_stage import IndexingStage
from tests.integration.indexer.pipeline.test_posted import post

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_lone_document_is_found_while_the_job_of_another_tenant_runs(
    stage: IndexingStage,
) -> None:
    """There are older ones than it, and newer ones."""
    for nth in range(100):
        stage.write(f"old{nth}.md", f"An old one, {nth}.\n")
    job = await stage.scan()
    lone = await another(stage)
    await post(lone, "notes.md", b"Posted by hand.\n")
    for nth in range(40):
        await post(stage, f"new{nth}.md", b"Posted by a script.\n")

    await stage.machinery.pipeline.slice()
    await stage.machinery.pipeline.slice()

    assert [path for path, *_ in await lone.found("posted")] == ["notes.md"]
    assert await stage.machinery.jobs.settle() == []
    jobs = IndexJobs(stage.ground.database, stage.ground.clock)
    assert (await jobs.find(stage.tenant, job.id)).state is JobState.INDEXING
    progress = (await jobs.progress(stage.tenant, [job.id]))[job.id]
    assert progress.waiting >= 100 - 2 * 32


async def test_a_job_is_scanned_before_the_second_of_another_tenant(stage: IndexingStage) -> None:
    lone = await another(stage)
    for name in ("first", "second"):
        stage.write(f"{name}/a.md", "Ducks swim.\n")
    jobs = IndexJobs(stage.ground.database, stage.ground.clock)
    flood = [
        await jobs.create(stage.tenant, stage.collection.id, f"{stage.source}/{name}")
        for name in ("first", "second")
    ]
    own = await jobs.create(lone.tenant, lone.collection.id, stage.source)
    for _ in range(2):
        assert await stage.machinery.scanning.work(lambda _: None)

    assert (await jobs.find(lone.tenant, own.id)).state is JobState.INDEXING
    states = {(await jobs.find(stage.tenant, each.id)).state for each in flood}
    assert states == {JobState.INDEXING, JobState.QUEUED}


class LongScan(SourceScanning):
    """One that goes on until it is told that it is over."""

    def __init__(self) -> None:
        self.begun, self.over = asyncio.Event(), asyncio.Event()

    async def work(self, wake: Wake) -> bool:
        self.begun.set()
        await self.over.wait()
        return False


async def test_one_of_two_hands_indexes_while_the_other_scans(
    stage: IndexingStage, redis_url: str
) -> None:
    scanning = LongScan()
    async with open_index_waker(BrokerSettings(url=ServerUrl(redis_url))) as waker:
        crew = IndexCrew(scanning, stage.machinery.pipeline, waker, hands=2)
        scans = asyncio.create_task(crew.work(stage.collection.id))
        await scanning.begun.wait()
        await post(stage, "notes.md", b"Posted by hand.\n")
        async with asyncio.timeout(60):
            assert await crew.work(stage.collection.id) == "1 documents"
        scanning.over.set()
        await scans
    assert [path for path, *_ in await stage.found("posted")] == ["notes.md"]


async def another(stage: IndexingStage) -> IndexingStage:
    """The same indexer, as another tenant sees it."""
    catalogue = CollectionCatalogue(stage.ground.database, stage.ground.clock)
    tenant = new_id(TENANT)
    name = generation_name(stage.encoder.name, stage.encoder.name)
    return stage.of(await catalogue.create(tenant, name="own", generation=name))
