"""`forebay jobs`: what is being indexed, how far it is, and what was left out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

from cyclopts import App, Parameter
from msgspec.structs import asdict

from deploy.cli.index.following import follow, plain_job
from deploy.cli.index.tenant import Tenant, open_index
from deploy.cli.options import AsJson, Limit
from deploy.cli.output import one_line, say, say_json, say_rows, say_table
from shared.clock import SystemClock

if TYPE_CHECKING:
    from shared.index.jobs.index_jobs import IndexJobs
    from shared.index.jobs.job import IndexJob, JobProgress
    from shared.persistence.engine import Database

_MOST_LEFT_OUT: Final = 1_000
_NO_JOBS: Final = (
    "There are no jobs. Make one: forebay index FOLDER. Posted documents and files have none: "
    "forebay collections stats NAME counts them, and GET /v1/documents/{id} tells of each."
)
JobId = Annotated[str, Parameter(help="Its id, as `forebay jobs list` shows it.")]


class LeftOut(NamedTuple):
    """A file or a document that is not found, and why."""

    path: str
    reason: str
    why: str


jobs = App(name="jobs", help="Jobs of the index: list, show, follow and cancel them.")


@jobs.command(name="list")
def list_jobs(*, tenant: Tenant = None, limit: Limit = 20, as_json: AsJson = False) -> None:
    """Show jobs, the newest first."""
    found = asyncio.run(_list(tenant, limit))
    if as_json:
        say_json([plain_job(*each) for each in found])
        return
    rows = [
        (
            job.id,
            job.state,
            f"{job.created_at:%Y-%m-%d %H:%M}",
            f"{progress.completed:,}/{job.changed:,}",
            progress.failed,
            job.skipped + progress.skipped,
            job.source,
        )
        for job, progress in found
    ]
    headings = ("id", "state", "made", "indexed", "failed", "skipped", "source")
    say_table(headings, rows, empty=_NO_JOBS)


@jobs.command
def show(job_id: JobId, /, *, tenant: Tenant = None, as_json: AsJson = False) -> None:
    """Show one job: its figures, and what it left out with the reason."""
    job, progress, left_out = asyncio.run(_show(job_id, tenant))
    facts = plain_job(job, progress)
    if as_json:
        say_json(facts | {"left_out": [each._asdict() for each in left_out]})
        return
    facts.pop("documents")
    say_rows([[(name, one_line(value)) for name, value in facts.items()]])
    say_rows([[(f"documents {name}", str(number)) for name, number in asdict(progress).items()]])
    if left_out:
        say("")
        say_table(LeftOut._fields, left_out, empty="")


@jobs.command(name="follow")
def follow_job(job_id: JobId, /, *, tenant: Tenant = None, as_json: AsJson = False) -> int:
    """Show how far a job is until it ends; the exit code is 1 when it failed."""
    return asyncio.run(_follow(job_id, tenant, as_json=as_json))


@jobs.command
def cancel(job_id: JobId, /, *, tenant: Tenant = None, as_json: AsJson = False) -> None:
    """Cancel a job: what is indexed stays found, what waits is left as it was."""
    job, progress = asyncio.run(_cancel(job_id, tenant))
    if as_json:
        say_json(plain_job(job, progress))
    else:
        say(f"Cancelled: {job.id}. {progress.completed:,} of its documents were indexed before.")


async def _list(tenant: str | None, limit: int) -> list[tuple[IndexJob, JobProgress]]:
    async with _open(tenant) as (jobs_, _, tenant_id):
        found = await jobs_.list(tenant_id, limit=limit)
        progress = await jobs_.progress(tenant_id, [each.id for each in found])
    return [(each, progress[each.id]) for each in found]


async def _show(job_id: str, tenant: str | None) -> tuple[IndexJob, JobProgress, list[LeftOut]]:
    from shared.index.documents.reading import Documents
    from shared.index.jobs.skipped_files import SkippedFiles
    from shared.index.states import DocumentState

    async with _open(tenant) as (jobs_, database, tenant_id):
        job = await jobs_.find(tenant_id, job_id)
        progress = (await jobs_.progress(tenant_id, [job_id]))[job_id]
        skipped = await SkippedFiles(database).list(tenant_id, job_id, limit=_MOST_LEFT_OUT)
        unfound = await Documents(database).list(
            tenant_id,
            job.collection_id,
            states=(DocumentState.FAILED, DocumentState.SKIPPED),
            source=job.source,
            limit=_MOST_LEFT_OUT,
        )
    left_out = [LeftOut(each.path, each.reason, each.why) for each in skipped]
    left_out += [
        LeftOut(each.path, each.error_code or each.state, each.reason or "") for each in unfound
    ]
    return job, progress, left_out


async def _follow(job_id: str, tenant: str | None, *, as_json: bool) -> int:
    from shared.index.states import JobState

    async with _open(tenant) as (jobs_, _, tenant_id):
        ended = await follow(jobs_, await jobs_.find(tenant_id, job_id), quietly=as_json)
    if as_json:
        say_json(ended.plain())
    else:
        say(ended.sentence())
    return 0 if ended.job.state is JobState.COMPLETED else 1


async def _cancel(job_id: str, tenant: str | None) -> tuple[IndexJob, JobProgress]:
    async with _open(tenant) as (jobs_, _, tenant_id):
        job = await jobs_.cancel(tenant_id, job_id)
        return job, (await jobs_.progress(tenant_id, [job_id]))[job_id]


@asynccontextmanager
async def _open(tenant: str | None) -> AsyncIterator[tuple[IndexJobs, Database, str]]:
    from shared.index.jobs.index_jobs import IndexJobs

    async with open_index(tenant) as (database, _, tenant_id):
        yield IndexJobs(database, SystemClock()), database, tenant_id
