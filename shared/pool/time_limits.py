"""Soft and hard time limits of a coroutine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator
from types import coroutine
from typing import TypeVar, cast

from celery.exceptions import SoftTimeLimitExceeded

from shared.pool.job import Interruption, Job, JobEvent, JobReport

# A coroutine that ignores its cancellation is cancelled again, at this pace, until it ends.
STUBBORN_SECONDS = 5.0

Result = TypeVar("Result")


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
