"""Jobs: what a source lists is indexed, what it lists no more is removed, and when not."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from shared.index.jobs.index_jobs import IndexJobs
from shared.index.jobs.skipped_files import SkippedFiles
from shared.index.states import JobState
from tests.integration.indexer.pipeline.indexing_stage import IndexingStage

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_job_says_what_it_found_and_ends_with_its_last_document(
    stage: IndexingStage,
) -> None:
    stage.write("a.md", "One.\n")
    stage.write("b.md", "Two.\n")
    stage.write(".env", "PASSWORD=1\n")
    job = await stage.scan()
    assert (job.state, job.found, job.changed, job.skipped) == (JobState.INDEXING, 2, 2, 1)

    await stage.index()
    job = await stage.job(job)
    assert (job.state, job.embedded, job.reused) == (JobState.COMPLETED, 2, 0)
    [skipped] = await SkippedFiles(stage.ground.database).list(stage.tenant, job.id, limit=10)
    assert (skipped.path, skipped.reason) == (".env", "secret")
    source = await stage.machinery.jobs.source(stage.collection.id, stage.source)
    assert (source.listed, source.indexed_through) == (2, job.started_at)


async def test_what_is_gone_from_the_listing_is_removed(stage: IndexingStage) -> None:
    await indexed(stage, 10)
    (stage.folder / "3.md").unlink()
    job = await stage.scan()
    assert (job.found, job.changed, job.removed, job.held_back) == (9, 0, 1, 0)

    await stage.index()
    assert await stage.found("number3") == []
    await stage.adds_up()


async def test_a_listing_that_shrinks_by_half_is_held_back_until_it_is_seen_again(
    stage: IndexingStage,
) -> None:
    await indexed(stage, 10)
    for number in range(7):
        (stage.folder / f"{number}.md").unlink()
    first = await stage.scan()
    assert (first.removed, first.held_back) == (0, 7)
    await stage.index()
    assert await stage.found("number3"), "nothing is lost yet"
    assert (await stage.job(first)).state is JobState.COMPLETED

    second = await stage.scan()
    assert (second.removed, second.held_back) == (7, 0)
    await stage.index()
    assert await stage.found("number3") == []
    await stage.adds_up()


async def test_what_came_back_meanwhile_stays(stage: IndexingStage) -> None:
    await indexed(stage, 10)
    away = stage.folder.with_name("away")
    shutil.move(stage.folder, away)
    stage.folder.mkdir()
    assert (await stage.scan()).held_back == 10

    stage.folder.rmdir()
    shutil.move(away, stage.folder)
    job = await stage.scan()
    assert (job.found, job.changed, job.removed, job.held_back) == (10, 0, 0, 0)
    await stage.index()
    await stage.adds_up()


async def test_who_says_so_removes_it_at_once(stage: IndexingStage) -> None:
    await indexed(stage, 10)
    for file in stage.folder.iterdir():
        file.unlink()
    job = await stage.scan(remove_anyway=True)
    assert (job.removed, job.held_back) == (10, 0)


async def test_a_folder_that_is_gone_fails_its_job_and_removes_nothing(
    stage: IndexingStage,
) -> None:
    await indexed(stage, 3)
    shutil.rmtree(stage.folder)
    job = await stage.scan(remove_anyway=True)
    assert job.state is JobState.FAILED
    assert "does not exist" in (job.error or "")
    assert len(await stage.points()) == 3


async def test_what_lies_in_a_folder_that_cannot_be_listed_stays(stage: IndexingStage) -> None:
    await indexed(stage, 3)
    stage.write("inside/a.md", "Within.\n")
    await stage.scan()
    await stage.index()
    shutil.rmtree(stage.folder / "inside")
    (stage.folder / "inside").mkdir()
    listing = stage.machinery.scanning
    job = await IndexJobs(stage.ground.database, stage.ground.clock).create(
        stage.tenant, stage.collection.id, stage.source
    )
    # Root may list every folder: what the scan would have been told is said to it here.
    assert len(await listing._missing(job, ["elsewhere"])) == 4
    assert len(await listing._missing(job, ["inside"])) == 3
    assert await listing._missing(job, ["."]) == []


async def test_a_checkout_says_up_to_which_commit(stage: IndexingStage) -> None:
    git(stage.folder, "init", "--quiet", "--initial-branch", "main")
    stage.write("a.md", "Committed.\n")
    git(stage.folder, "add", ".")
    git(stage.folder, "commit", "--quiet", "--message", "One")
    checkout = f"git:{stage.folder}"
    job = await IndexJobs(stage.ground.database, stage.ground.clock).create(
        stage.tenant, stage.collection.id, checkout
    )
    assert await stage.machinery.scanning.work(lambda _: None)
    await stage.index()
    await stage.job(job)

    source = await stage.machinery.jobs.source(stage.collection.id, checkout)
    head = git(stage.folder, "rev-parse", "HEAD").strip()
    assert (source.commit_id, source.branch) == (head, "main")


async def test_a_scan_that_is_stopped_is_begun_again_by_another(stage: IndexingStage) -> None:
    for number in range(5):
        stage.write(f"{number}.md", f"Number{number}.\n")
    jobs = IndexJobs(stage.ground.database, stage.ground.clock)
    job = await jobs.create(stage.tenant, stage.collection.id, stage.source)
    reached = asyncio.Event()
    scanning = asyncio.create_task(stage.machinery.scanning.work(lambda _: reached.set()))
    await reached.wait()
    scanning.cancel()
    await asyncio.gather(scanning, return_exceptions=True)
    found = await jobs.find(stage.tenant, job.id)
    if found.state is JobState.QUEUED:
        assert await stage.beside().machinery.scanning.work(lambda _: None)

    await stage.index()
    job = await stage.job(job)
    assert (job.state, job.found) == (JobState.COMPLETED, 5)
    await stage.adds_up()


async def test_a_job_that_was_cancelled_is_scanned_no_further(stage: IndexingStage) -> None:
    for number in range(5):
        stage.write(f"{number}.md", f"Number{number}.\n")
    jobs = IndexJobs(stage.ground.database, stage.ground.clock)
    job = await jobs.create(stage.tenant, stage.collection.id, stage.source)
    await jobs.cancel(stage.tenant, job.id)
    assert not await stage.machinery.scanning.work(lambda _: None)
    assert await stage.documents() == {}


async def indexed(stage: IndexingStage, number: int) -> None:
    for each in range(number):
        stage.write(f"{each}.md", f"Number{each}.\n")
        # What was written just before it was read would be read again by the next scan.
        os.utime(stage.folder / f"{each}.md", (1_700_000_000, 1_700_000_000))
    job = await stage.scan()
    await stage.index()
    assert (await stage.job(job)).state is JobState.COMPLETED


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=T", "-c", "user.email=t@example.com")
    done = subprocess.run(
        ["git", "-C", folder, *identity, *arguments], check=True, capture_output=True, text=True
    )
    return done.stdout
