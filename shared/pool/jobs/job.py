"""A task execution: its request, where it stands, its time limits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator, Sequence
from dataclasses import dataclass
from enum import StrEnum, auto
from functools import partial
from itertools import count
from types import coroutine
from typing import Any, NamedTuple, Protocol, TypeVar, cast

from billiard.einfo import ExceptionInfo
from celery.concurrency.base import BasePool
from celery.exceptions import SoftTimeLimitExceeded
from celery.worker import state
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
    """What a job tells."""

    SOFT_LIMIT = auto()
    HARD_LIMIT = auto()
    ENDED = auto()


class _Pool(Protocol):
    def in_loop(self, order: Callable[[], object]) -> None: ...


class LoopRequest(Request):
    """What `celery inspect` shows and `revoke` finds; belongs to the event loop.

    Remote control, in the hub's thread, may read it, and end its task: the loop does that.
    """

    def revoked(self) -> bool:
        """As Celery's, which looks for stamps each time."""
        may_be = (
            self._already_revoked  # type: ignore[attr-defined]
            or self._expires is not None  # type: ignore[attr-defined]
            or self.id in state.revoked
            or self.stamped_headers
        )
        return bool(may_be and super().revoked())

    def terminate(self, pool: _Pool, signal: int | None = None) -> None:  # type: ignore[override]
        pool.in_loop(partial(super().terminate, cast("BasePool", pool), signal))

    def cancel(  # type: ignore[override]
        self, pool: _Pool, signal: int | None = None, emit_retry: bool = True
    ) -> None:
        pool.in_loop(partial(super().cancel, cast("BasePool", pool), signal, emit_retry=emit_retry))

    def on_success(self, failed__retval__runtime: Outcome, **_: Any) -> None:
        """The end of the task, a failure too. What ended well is not listed for the shutdown: it
        is settled before anything else happens."""
        failed, value, seconds = failed__retval__runtime
        if failed:
            super().on_success(failed__retval__runtime)
            return
        state.task_ready(self)
        if self.task.acks_late:
            self.acknowledge()
        self.send_event("task-succeeded", result=value, runtime=seconds)


@dataclass(slots=True, eq=False, weakref_slot=True)
class Job:
    """A task execution: what its message asked for, and where it stands.

    `number` stands where other pools have a process id. `settled` says that the message needs
    nothing more from this job, `working` that the task's own code runs.
    """

    task_name: str
    task_id: str
    headers: dict[str, object]
    args: Sequence[object]
    kwargs: dict[str, object]
    request: LoopRequest
    soft_limit_seconds: float | None
    hard_limit_seconds: float | None
    number: int
    signal: int | None = None
    settled: bool = False
    working: bool = False
    interruption: Interruption | None = None
    running: asyncio.Task[None] | None = None

    @staticmethod
    def next_number() -> int:
        """A number that no other job of this process has had."""
        return next(_job_numbers)


class JobReport(NamedTuple):
    """One of them; `seconds` belongs to the two limits, `outcome` to the end."""

    job: Job
    event: JobEvent
    seconds: float = 0.0
    outcome: Outcome | None = None


class TimeLimits:
    """The running limits of one job, on one timer: the one that passes first, then the next."""

    def __init__(self, job: Job, *, report: Callable[[JobReport], None]) -> None:
        self._job = job
        self._report = report
        self._started = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        soft, hard = self._job.soft_limit_seconds, self._job.hard_limit_seconds
        if soft and (not hard or soft <= hard):
            loop = asyncio.get_running_loop()
            self._started = loop.time()
            self._timer = loop.call_later(soft, self._soft_limit_passed, soft)
        elif hard:
            self._timer = asyncio.get_running_loop().call_later(hard, self._hard_limit_passed, hard)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _soft_limit_passed(self, limit_seconds: float) -> None:
        if hard := self._job.hard_limit_seconds:
            at = self._started + hard
            self._timer = asyncio.get_running_loop().call_at(at, self._hard_limit_passed, hard)
        if self._job.working and self._job.interruption is None:
            self._report(JobReport(self._job, JobEvent.SOFT_LIMIT, seconds=limit_seconds))
            interrupt(self._job, Interruption.SOFT_LIMIT)

    def _hard_limit_passed(self, limit_seconds: float) -> None:
        if self._job.interruption is not Interruption.TERMINATED:
            self._report(JobReport(self._job, JobEvent.HARD_LIMIT, seconds=limit_seconds))
            self._cancel()

    def _cancel(self) -> None:
        interrupt(self._job, Interruption.HARD_LIMIT)
        self._timer = asyncio.get_running_loop().call_later(STUBBORN_SECONDS, self._cancel)


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
