"""Follows a job to its end, on a bar where somebody looks."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import TYPE_CHECKING, Final

from msgspec.structs import asdict

from deploy.cli.output import complain, counted
from shared.index.states import JobState

if TYPE_CHECKING:
    from rich.progress import Progress

    from shared.index.jobs.index_jobs import IndexJobs
    from shared.index.jobs.job import IndexJob, JobProgress

_LOOK_SECONDS: Final = 0.3
_PATIENCE_SECONDS: Final = 5.0
_ENDED: Final = frozenset({JobState.COMPLETED, JobState.FAILED, JobState.CANCELLED})


class Ended:
    """A job at its end, and what became of its documents."""

    def __init__(self, job: IndexJob, progress: JobProgress, seconds: float) -> None:
        self.job = job
        self.progress = progress
        self.seconds = seconds

    def plain(self) -> dict[str, object]:
        """As `--json` shows it."""
        return plain_job(self.job, self.progress) | {"seconds": round(self.seconds, 2)}

    def sentence(self) -> str:
        """What was done, for people."""
        job, done = self.job, self.progress
        if job.state is not JobState.COMPLETED:
            return f"The job {job.id} is {job.state}{f': {job.error}' if job.error else ''}."
        parts = [
            f"{counted(job.found, 'file')} found, {job.changed:,} new or changed, "
            f"{job.skipped:,} skipped, {job.removed:,} gone",
            f"{counted(done.completed, 'document')} indexed in {self.seconds:.1f} s: "
            f"{counted(job.embedded, 'chunk')} embedded, {job.reused:,} known",
        ]
        if done.skipped:
            parts.append(f"{counted(done.skipped, 'document')} left out")
        if done.failed:
            parts.append(f"{counted(done.failed, 'document')} failed")
        if job.held_back:
            parts.append(
                f"{counted(job.held_back, 'missing document')} kept, since half of the files or "
                "more are gone: the next run that misses the same removes them"
            )
        return ". ".join(parts) + "."


def plain_job(job: IndexJob, progress: JobProgress) -> dict[str, object]:
    """A job with its documents, without what is the indexers' own."""
    inner = {"attempt", "claimed_by", "due_at", "tenant_id"}
    shown = {name: value for name, value in asdict(job).items() if name not in inner}
    return shown | {"documents": asdict(progress)}


async def follow(jobs: IndexJobs, job: IndexJob, *, quietly: bool) -> Ended:
    """Return when the job has ended; `quietly` shows no bar. Raises LedgerUnavailable."""
    began = time.monotonic()
    is_told = False
    with _bar(quietly=quietly) as bar:
        bar.add_task("waiting", total=None, rate="")
        while True:
            job = await jobs.find(job.tenant_id, job.id)
            progress = (await jobs.progress(job.tenant_id, [job.id]))[job.id]
            _show(bar, job, progress)
            if job.state in _ENDED:
                return Ended(job, progress, time.monotonic() - began)
            waited = time.monotonic() - began
            if job.state is JobState.QUEUED and waited > _PATIENCE_SECONDS and not is_told:
                is_told = True
                complain("No indexer takes it. Start one: forebay indexer, or all: forebay up")
            await asyncio.sleep(_LOOK_SECONDS)


def _bar(*, quietly: bool) -> Progress:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    return Progress(
        TextColumn("{task.description:<9}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=quietly or not sys.stderr.isatty(),
        transient=True,
    )


def _show(bar: Progress, job: IndexJob, progress: JobProgress) -> None:
    ended = progress.completed + progress.failed + progress.skipped + progress.cancelled
    total = job.changed if job.state is JobState.INDEXING else None
    elapsed = bar.tasks[0].elapsed or 0.0
    rate = f"{ended / elapsed:,.0f}/s" if ended and elapsed else ""
    bar.update(bar.tasks[0].id, description=job.state, completed=ended, total=total, rate=rate)
