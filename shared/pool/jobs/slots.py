"""How many jobs run at once, those that wait for it, and what becomes of each."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from contextvars import Context
from time import monotonic
from typing import assert_never

from celery.utils.log import get_logger

from shared.pool.jobs.job import Interruption, Job, JobEvent, JobReport, interrupt

logger = get_logger(__name__)

Execute = Callable[[Job], Coroutine[object, object, None]]
"""Runs a job, reports its end once, and never raises."""
Begin = Callable[[], object]
"""Adds the job that it is for; never raises."""


class JobSlots:
    """At most `limit` running jobs; belongs to the event loop.

    Those of a queue are served as they came, and queues take turns: the crowd of one does not hold
    up the next. A job is accepted (and, without late acknowledgement, acknowledged) when it gets
    its slot, so the broker's prefetch bounds what waits. Other threads may read what is counted
    here, and `close` it.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._execute: Execute | None = None
        self._context: Context | None = None
        self._is_closed = False
        self._waiting: dict[str, deque[Job | Begin]] = {}
        self._waiting_count = 0
        self._is_filling = False
        self._running: dict[int, Job] = {}

    def open(self, execute: Execute, context: Context) -> None:
        """From now on jobs run, each in a copy of this context."""
        self._execute = execute
        self._context = context

    def close(self) -> None:
        """Take no more jobs: their messages stay unacknowledged and come again."""
        self._is_closed = True

    def add(self, job: Job) -> None:
        """Run a job now, or when one of the running jobs has ended.

        One that is added by what `add_later` was given takes the slot that this was called for.
        """
        if self._is_filling and len(self._running) < self._limit:
            self._begin(job)
        else:
            self._add(job, str((job.request.delivery_info or {}).get("routing_key")))

    def add_later(self, begin: Begin, *, queue: str) -> None:
        """Have something called that adds a job, or none, when there is a slot for it."""
        self._add(begin, queue)

    def settle(self, report: JobReport) -> None:
        """Tell the job's request what happened, and give its slot away at its end."""
        try:
            self._tell(report)
        except Exception:  # the border of one job: the loop belongs to all the others too
            logger.exception("Could not settle %r", report)
        self._fill()

    def terminate(self, number: int, signal: int | None = None) -> None:
        """Cancel the coroutine of this job; one that has ended is left alone."""
        job = self._running.get(number)
        if job is not None and job.running is not None and not job.running.done():
            job.signal = signal
            # Soon, not now: a task cancelled before its first step would end without a report.
            asyncio.get_running_loop().call_soon(interrupt, job, Interruption.TERMINATED)

    def resize(self, limit: int) -> None:
        self._limit = max(limit, 1)
        self._fill()

    def forget_waiting(self) -> list[Job]:
        """Those that wait, which do so no longer: their messages come again."""
        waiting = [each for line in self._waiting.values() for each in line]
        self._waiting.clear()
        self._waiting_count = 0
        return [each for each in waiting if isinstance(each, Job)]

    def leave_unsettled(self) -> None:
        """Acknowledge none of those that run, whatever becomes of them."""
        for job in self:
            job.settled = True

    def __iter__(self) -> Iterator[Job]:
        """The running jobs, as of now."""
        return iter(tuple(self._running.values()))

    @property
    def running_count(self) -> int:
        return len(self._running)

    @property
    def waiting_count(self) -> int:
        return self._waiting_count

    @property
    def is_idle(self) -> bool:
        return not self._running and not self._waiting

    def _add(self, waiting: Job | Begin, queue: str) -> None:
        if not self._is_closed:
            self._waiting.setdefault(queue, deque()).append(waiting)
            self._waiting_count += 1
            self._fill()

    def _fill(self) -> None:
        if self._is_filling:
            return
        self._is_filling = True
        try:
            while self._waiting and len(self._running) < self._limit:
                first = self._take_first()
                if isinstance(first, Job):
                    self._begin(first)
                else:
                    first()
        finally:
            self._is_filling = False

    def _take_first(self) -> Job | Begin:
        queue = next(iter(self._waiting))
        line = self._waiting.pop(queue)
        first = line.popleft()
        self._waiting_count -= 1
        if line:
            self._waiting[queue] = line  # the last to have its turn again
        return first

    def _begin(self, job: Job) -> None:
        # Revoked or expired while it waited: the request has said so and is done with.
        if not job.request.revoked():
            self._running[job.number] = job
            self._start(job)
            job.request.on_accepted(job.number, monotonic())  # type: ignore[arg-type]

    def _start(self, job: Job) -> None:
        if self._execute is None or self._context is None:
            raise RuntimeError("the pool has not started")
        loop = asyncio.get_running_loop()
        job.running = loop.create_task(self._execute(job), context=self._context.copy())

    def _tell(self, report: JobReport) -> None:
        job, event, seconds, outcome = report
        match event:
            case JobEvent.SOFT_LIMIT:
                job.request.on_timeout(True, seconds)
            case JobEvent.HARD_LIMIT:
                job.settled = True
                job.request.on_timeout(False, seconds)
            case JobEvent.ENDED:
                self._running.pop(job.number, None)
                if not job.settled and outcome is not None:
                    job.request.on_success(outcome)
            case _:
                assert_never(event)
