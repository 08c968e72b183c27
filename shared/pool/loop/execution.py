"""A job on the event loop: traced, limited in time, reported once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from billiard.einfo import ExceptionInfo
from celery import Celery
from celery.app.trace import report_internal_error
from celery.exceptions import Terminated

from shared.pool.job import Job, JobEvent, JobReport, Outcome
from shared.pool.loop.time_limits import TimeLimits
from shared.pool.loop.tracer import AsyncTracer


class JobExecution:
    """Executes jobs on the event loop; every job ends in exactly one ENDED report."""

    def __init__(self, app: Celery, *, hostname: str, report: Callable[[JobReport], None]) -> None:
        self._app = app
        self._hostname = hostname
        self._report = report
        self._tracers: dict[str, AsyncTracer] = {}

    def prepare(self) -> None:
        """Build the tracers of all registered tasks. Raises PoolRefused for what cannot run."""
        for name in self._app.tasks:
            self._tracer(name)

    async def execute(self, job: Job) -> None:
        """Run the job. Never raises."""
        limits = TimeLimits(job, report=self._report)
        limits.start()
        try:
            outcome = await self._tracer(job.task_name).trace(job)
        except asyncio.CancelledError:
            outcome = _terminated(job)
        except Exception as error:  # noqa: BLE001 - the task edge: a fault of ours fails the task
            internal = report_internal_error(self._app.tasks[job.task_name], error)
            outcome = (1, internal, None)
        limits.stop()
        if job.interruption is not None and job.interruption.is_final:
            # The work was given up, whatever the coroutine made of its cancellation: reporting
            # success now would acknowledge a message that is to be delivered again.
            outcome = _terminated(job)
        self._report(JobReport(job, JobEvent.ENDED, outcome=outcome))

    def _tracer(self, task_name: str) -> AsyncTracer:
        tracer = self._tracers.get(task_name)
        if tracer is None:
            task = self._app.tasks[task_name]
            tracer = AsyncTracer(task, app=self._app, hostname=self._hostname)
            self._tracers[task_name] = tracer
        return tracer


def _terminated(job: Job) -> Outcome:
    try:
        raise Terminated(job.signal or 0)
    except Terminated:
        return 1, ExceptionInfo(), None
