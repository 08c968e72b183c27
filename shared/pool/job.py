"""Task executions, from the moment Celery hands them to the pool: each, and those that run."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum, auto
from itertools import count
from time import monotonic
from typing import NamedTuple

from billiard.einfo import ExceptionInfo
from celery.worker.request import Request

# Above every process id Linux can give out, so that no tool takes a job for a process.
_job_numbers = count(2**22 + 1)

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
