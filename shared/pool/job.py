"""One task execution, from the moment Celery hands it to the pool."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum, auto
from itertools import count
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
