"""Jobs: scanned by one at a time, complete when the last of their documents has ended."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from shared.errors import Conflict, NotFound
from shared.index.document import OfferedDocument
from shared.index.jobs.index_jobs import IndexJobs
from shared.index.jobs.job import IndexJob, JobProgress, ScanOutcome, SourceState
from shared.index.jobs.scanning import Scans
from shared.index.jobs.settling import JobSettling
from shared.index.jobs.skipped_files import SkippedFiles, SkippedPath
from shared.index.states import DocumentState, JobState

from .index_ledger import LEASE, SOURCE, TENANT, IndexLedger


@dataclass(frozen=True)
class JobDesk:
    """Jobs of the one collection."""

    index: IndexLedger
    jobs: IndexJobs
    scans: Scans
    settling: JobSettling

    async def create(self, source: str = SOURCE) -> IndexJob:
        return await self.jobs.create(TENANT, self.index.collection.id, source)

    async def claim(self, worker: str = "worker-1") -> IndexJob:
        claimed = await self.scans.claim(worker, tenant_id=TENANT)
        assert claimed is not None
        return claimed

    async def find(self, job: IndexJob) -> IndexJob:
        return await self.jobs.find(TENANT, job.id)


@pytest.fixture
def desk(index: IndexLedger) -> JobDesk:
    scans = Scans(index.database, index.clock, lease_seconds=LEASE, attempt_limit=3)
    jobs = IndexJobs(index.database, index.clock)
    return JobDesk(index, jobs, scans, JobSettling(index.database, index.clock))


async def test_a_job_from_its_making_to_its_end(desk: JobDesk, index: IndexLedger) -> None:
    made = await desk.create()
    assert await desk.find(made) == made
    assert await desk.create() == made
    job = await desk.claim()
    assert (job.id, job.state, job.attempt) == (made.id, JobState.SCANNING, 1)
    assert await desk.scans.claim("worker-2", tenant_id=TENANT) is None
    await index.offer("a.md", "b.md", job=job.id)
    assert await desk.scans.tell(job, found=2, changed=2, skipped=1)
    outcome = ScanOutcome(found=2, changed=2, skipped=1, commit_id="c0ffee", branch="main")
    assert await desk.scans.scanned(job, outcome)
    assert await desk.settling.settle() == []
    index.clock.advance(1)
    for held in await index.claim():
        assert await index.plan(held, "x")
        assert await index.finish(held, "x")
    await desk.settling.count(job.id, embedded=1, reused=1)
    (done,) = await desk.settling.settle()
    assert done.id == job.id
    ended = await desk.find(job)
    assert (ended.state, ended.embedded, ended.reused) == (JobState.COMPLETED, 1, 1)
    assert ended.finished_at == index.clock.now()
    assert await desk.jobs.progress(TENANT, [job.id]) == {job.id: JobProgress(completed=2)}
    assert await desk.settling.source(index.collection.id, SOURCE) == SourceState(
        source=SOURCE,
        commit_id="c0ffee",
        branch="main",
        indexed_through=job.started_at,
        listed=2,
    )


async def test_what_is_held_back_is_known_to_the_next_scan(desk: JobDesk) -> None:
    await desk.create()
    outcome = ScanOutcome(found=1, changed=0, held_back=9, missing_digest="d1")
    assert await desk.scans.scanned(await desk.claim(), outcome)
    place = (desk.index.collection.id, SOURCE)
    assert (await desk.settling.source(*place)).missing_digest == "d1"
    assert (await desk.settling.source(*place)).listed is None
    await desk.settling.settle()
    assert await desk.settling.source(*place) == SourceState(
        source=SOURCE,
        indexed_through=desk.index.clock.now(),
        listed=1,
        missing_digest="d1",
    )
    await desk.create()
    await desk.scans.scanned(await desk.claim(), ScanOutcome(found=1, changed=0, removed=9))
    assert (await desk.settling.source(*place)).missing_digest is None


async def test_a_silent_scanner_loses_its_job(desk: JobDesk) -> None:
    await desk.create()
    first = await desk.claim("worker-1")
    desk.index.clock.advance(LEASE - 1)
    assert await desk.scans.renew(first)
    desk.index.clock.advance(LEASE)
    second = await desk.claim("worker-2")
    assert (second.id, second.attempt) == (first.id, 2)
    assert not await desk.scans.renew(first)
    assert not await desk.scans.scanned(first, ScanOutcome(found=0, changed=0))
    assert not await desk.scans.fail(first, "gone")
    await desk.scans.give_back(second)
    await desk.claim("worker-3")
    desk.index.clock.advance(LEASE + 1)
    behind = await desk.create("folder:/other")
    assert (await desk.claim("worker-4")).id == behind.id
    failed = await desk.find(first)
    assert failed.state is JobState.FAILED
    assert failed.error == "Nobody who scanned it came to an end, 3 times."


async def test_one_source_is_scanned_by_one_job_at_a_time(desk: JobDesk) -> None:
    await desk.create()
    first = await desk.claim()
    second = await desk.create()
    assert second.id != first.id
    other = await desk.create("folder:/other")
    assert (await desk.claim()).id == other.id
    assert await desk.scans.claim("worker-1", tenant_id=TENANT) is None
    await desk.scans.scanned(first, ScanOutcome(found=0, changed=0))
    assert (await desk.claim()).id == second.id


async def test_a_scan_misses_only_what_no_later_one_saw(desk: JobDesk, index: IndexLedger) -> None:
    place = (TENANT, index.collection.id, SOURCE)
    await index.offer("a.md", "b.md", "c.md", "d.md", job="job_1")
    await index.offer("a.md", "b.md", job="job_3")
    await index.offer("c.md", "a.md", job="job_2")
    found: list[str] = []
    after: str | None = ""
    while after is not None:
        page = await index.documents.missing(*place, job_id="job_2", after=after, limit=3)
        found += page.ids
        after = page.following
    assert found == [(await index.find("d.md")).id]


async def test_a_cancelled_job_begins_nothing_more(desk: JobDesk, index: IndexLedger) -> None:
    kept = await index.index("a.md", "x", size=1)
    await desk.create()
    job = await desk.claim()
    await index.offer(*(f"{n}.md" for n in range(1100)), job=job.id)
    held = await index.one()
    await index.offer("a.md", size=2, job=job.id)
    cancelled = await desk.jobs.cancel(TENANT, job.id)
    assert (cancelled.state, cancelled.cancelled_at) == (JobState.CANCELLED, index.clock.now())
    assert await desk.jobs.cancel(TENANT, job.id) == cancelled
    assert await index.claim() == []
    assert await desk.scans.claim("worker-1", tenant_id=TENANT) is None
    assert not await desk.scans.scanned(job, ScanOutcome(found=0, changed=0))
    assert await index.plan(held, "x")
    assert await index.finish(held, "x")
    assert await desk.jobs.progress(TENANT, [job.id]) == {
        job.id: JobProgress(completed=1, cancelled=1100)
    }
    assert (await index.find("a.md")).state is DocumentState.CANCELLED
    assert (await index.find("a.md")).is_searchable
    assert await index.current(kept) == {"x"}
    # The next scan offers what was cancelled, whatever it was when it was read last.
    assert (await index.offer("a.md", size=1, job="job_z")).changed == 1
    with pytest.raises(NotFound):
        await desk.jobs.cancel("ten_2", job.id)


async def test_a_job_that_has_ended_is_not_cancelled(desk: JobDesk) -> None:
    await desk.create()
    job = await desk.claim()
    await desk.scans.fail(job, "There is no such folder.")
    with pytest.raises(Conflict, match="has failed already"):
        await desk.jobs.cancel(TENANT, job.id)


async def test_jobs_are_listed_and_in_the_end_forgotten(desk: JobDesk, index: IndexLedger) -> None:
    created = [await desk.create(f"folder:/{n}") for n in range(5)]
    jobs = sorted(created, key=lambda each: each.id)  # two may be of one millisecond
    skipped = SkippedFiles(index.database)
    left_out = [SkippedPath(n, f"{n}.bin", "binary", "It is binary.") for n in range(3)]
    await skipped.add(jobs[0], left_out)
    await skipped.add(jobs[0], left_out)
    assert await skipped.list(TENANT, jobs[0].id, after=0, limit=9) == left_out[1:]
    assert await skipped.list("ten_2", jobs[0].id, limit=9) == []
    listed = await desk.jobs.list(TENANT, limit=2)
    assert [each.id for each in listed] == [jobs[4].id, jobs[3].id]
    of_collection = await desk.jobs.list(
        TENANT, collection_id=index.collection.id, after=jobs[3].id, limit=9
    )
    assert [each.id for each in of_collection] == [each.id for each in jobs[2::-1]]
    assert await desk.jobs.list("ten_2", limit=9) == []
    await desk.jobs.cancel(TENANT, jobs[0].id)
    index.clock.advance(365 * 24 * 3600)
    assert await desk.settling.forget_old() == 1
    assert await skipped.list(TENANT, jobs[0].id, limit=9) == []
    assert len(await desk.jobs.list(TENANT, limit=9)) == 4


async def test_offers_of_documents_that_the_source_does_not_date(index: IndexLedger) -> None:
    place = (TENANT, index.collection.id, SOURCE)
    seen = [OfferedDocument("a.md", 5)]
    assert (await index.offers.offer(*place, seen, job_id="job_1")).changed == 1
    assert (await index.offers.offer(*place, seen, job_id="job_1")).unchanged == 1
    assert (await index.offers.offer(*place, seen, job_id="job_2")).changed == 1
