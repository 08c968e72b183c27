"""Task executions that Celery hands to the pool: each, its time limits, and those that run."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Generator, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum, auto
from itertools import count
from time import monotonic
from types import coroutine
from typing import NamedTuple, TypeVar, cast

from billiard.einfo import ExceptionInfo
from celery.exceptions import SoftTimeLimitExceeded
from celery.worker.request import Request

# Above every process id Linux can give out, so that no tool takes a job for a process.
_job_numbers = count(2**22 + 1)

# A coroutine that ignores its cancellation is cancelled again, at this pace, until it ends.
STUBBORN_SECONDS = 5.0

Result = TypeVar("Result")

#: (failed, printable result or the failure, run time in seconds): what Celery's requests expect.
Outcome = tuple[int, str | ExceptionInfo | None, float | None]


class Interruption(StrEnum):
    """Why the pool cancelled a job's coroutine."""

    SOFT_LIMIT = auto()
    HARD_LIMIT = auto()
    TERMINATED = auto()

    @property
    def is_final(self) -> bool:
        """Whether the work is given up, rather than asked to finish."""
        return self is not Interruption.SOFT_LIMIT


class JobEvent(StrEnum):
    """What the event loop tells the hub about a job."""

    SOFT_LIMIT = auto()
    HARD_LIMIT = auto()
    ENDED = auto()


@dataclass(slots=True, eq=False, weakref_slot=True)
class Job:
    """A task execution: what Celery asked for, and where it stands.

    `number` stands where other pools have a process id. `settled` belongs to the hub's thread (the
    message needs nothing more from this job); `working` (the task's own code runs), `interruption`
    and `running` belong to the event loop's.
    """

    task_name: str
    task_id: str
    headers: dict[str, object]
    args: Sequence[object]
    kwargs: dict[str, object]
    request: Request
    on_accepted: Callable[[int, float], None]
    on_timeout: Callable[[bool, float], None]
    on_ended: Callable[[Outcome], None]
    soft_limit_seconds: float | None
    hard_limit_seconds: float | None
    number: int
    signal: int | None = None
    settled: bool = False
    working: bool = False
    interruption: Interruption | None = None
    running: asyncio.Task[None] | None = None

    def terminate(self, signal: int | None = None) -> None:
        """Do nothing: Celery calls `terminate_job` as well, and that is what counts."""

    @staticmethod
    def next_number() -> int:
        """A number that no other job of this process has had."""
        return next(_job_numbers)


class JobReport(NamedTuple):
    """A letter from the event loop to the hub.

    `seconds` belongs to the two limits, `outcome` to the end.
    """

    job: Job
    event: JobEvent
    seconds: float = 0.0
    outcome: Outcome | None = None


class TimeLimits:
    """The running limits of one job; belongs to the event loop's thread."""

    def __init__(self, job: Job, *, report: Callable[[JobReport], None]) -> None:
        self._job = job
        self._report = report
        self._timers: list[asyncio.TimerHandle] = []

    def start(self) -> None:
        loop = asyncio.get_running_loop()
        soft, hard = self._job.soft_limit_seconds, self._job.hard_limit_seconds
        if soft:
            self._timers.append(loop.call_later(soft, self._soft_limit_passed, soft))
        if hard:
            self._timers.append(loop.call_later(hard, self._hard_limit_passed, hard))

    def stop(self) -> None:
        for timer in self._timers:
            timer.cancel()

    def _soft_limit_passed(self, limit_seconds: float) -> None:
        if self._job.working and self._job.interruption is None:
            self._report(JobReport(self._job, JobEvent.SOFT_LIMIT, seconds=limit_seconds))
            interrupt(self._job, Interruption.SOFT_LIMIT)

    def _hard_limit_passed(self, limit_seconds: float) -> None:
        if self._job.interruption is not Interruption.TERMINATED:
            self._report(JobReport(self._job, JobEvent.HARD_LIMIT, seconds=limit_seconds))
            interrupt(self._job, Interruption.HARD_LIMIT)
            self._timers.append(
                asyncio.get_running_loop().call_later(STUBBORN_SECONDS, self._cancel_again)
            )

    def _cancel_again(self) -> None:
        interrupt(self._job, Interruption.HARD_LIMIT)
        self._timers.append(
            asyncio.get_running_loop().call_later(STUBBORN_SECONDS, self._cancel_again)
        )


def interrupt(job: Job, interruption: Interruption) -> None:
    """Cancel the job's coroutine and remember why."""
    job.interruption = interruption
    if job.running is not None:
        job.running.cancel()


@coroutine
def interruptible(
    work: Coroutine[object, object, Result], job: Job
) -> Generator[object, object, Result]:
    """Drive `work`; a cancellation by the soft limit arrives in it as SoftTimeLimitExceeded.

    asyncio can only cancel a task. Standing between the task and the coroutine, this turns the one
    cancellation that means the soft limit into the exception a Celery task expects, at the very
    `await` where the coroutine waits.
    """
    sent: object = None
    thrown: BaseException | None = None
    while True:
        try:
            awaited = work.send(sent) if thrown is None else work.throw(thrown)
        except StopIteration as stop:
            return cast("Result", stop.value)
        sent = thrown = None
        try:
            sent = yield awaited
        except GeneratorExit:
            work.close()
            raise
        except asyncio.CancelledError as cancellation:
            thrown = _meaning_of(cancellation, job)
        except BaseException as error:  # noqa: BLE001 - whatever it is, it belongs to `work`
            thrown = error


def _meaning_of(cancellation: asyncio.CancelledError, job: Job) -> BaseException:
    if job.interruption is not Interruption.SOFT_LIMIT:
        return cancellation
    job.interruption = None
    if job.running is not None:
        job.running.uncancel()
    return SoftTimeLimitExceeded(job.soft_limit_seconds)


class JobSlots:
    """At most `limit` running jobs, first come first served; belongs to the hub's thread.

    A job is accepted (and, without late acknowledgement, acknowledged) when it gets its slot, so
    the broker's prefetch bounds what waits.
    """

    def __init__(self, limit: int, *, start: Callable[[Job], None]) -> None:
        self._limit = limit
        self._start = start
        self._waiting: deque[Job] = deque()
        self._running: dict[int, Job] = {}

    def add(self, job: Job) -> None:
        self._waiting.append(job)
        self.fill()

    def fill(self) -> None:
        """Give free slots to waiting jobs."""
        while self._waiting and len(self._running) < self._limit:
            job = self._waiting.popleft()
            # Revoked or expired while it waited: the request has said so and is done with.
            if not job.request.revoked():
                self._running[job.number] = job
                self._start(job)
                job.on_accepted(job.number, monotonic())

    def release(self, job: Job) -> None:
        """Free the slot of a job that has ended; `fill` gives it away."""
        self._running.pop(job.number, None)

    def resize(self, limit: int) -> None:
        self._limit = max(limit, 1)
        self.fill()

    def forget_waiting(self) -> None:
        """Drop the jobs that wait; their messages were not acknowledged and come again."""
        self._waiting.clear()

    def running(self, number: int) -> Job | None:
        return self._running.get(number)

    def __iter__(self) -> Iterator[Job]:
        """The running jobs, as of now."""
        return iter(tuple(self._running.values()))

    @property
    def running_count(self) -> int:
        return len(self._running)

    @property
    def waiting_count(self) -> int:
        return len(self._waiting)

    @property
    def is_idle(self) -> bool:
        return not self._running and not self._waiting
