"""The asyncio pool as Celery sees it. Everything here runs in the hub's thread."""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable
from contextlib import nullcontext, suppress
from functools import partial
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, assert_never, cast

from celery import Celery
from celery.app.trace import fast_trace_task, trace_task_ret
from celery.concurrency.base import BasePool
from celery.exceptions import WorkerShutdown
from celery.platforms import EX_FAILURE
from celery.utils.log import get_logger
from celery.worker import state

from shared.pool.errors import LoopDied, PoolRefused
from shared.pool.execution import JobExecution
from shared.pool.job import Job, JobEvent, JobReport, JobSlots, Outcome
from shared.pool.loop_thread import Errand, LoopThread
from shared.pool.mailbox import Mailbox

if TYPE_CHECKING:
    from celery.worker.request import Request
    from kombu.asynchronous.hub import Hub

logger = get_logger(__name__)

# How long cancelled coroutines, and after them the lifespan, may take to clean up.
CLEANUP_SECONDS = 10.0


class AsyncioPool(BasePool):
    """Runs `async def` tasks on one event loop in a side thread; plain functions in threads of it.

    It keeps no results, calls no hooks and follows no callbacks, chains or retries; `preparation`
    and `poison` refuse what asks for them.

    At most `limit` jobs run at once, across reconnections too; further ones wait here, unaccepted
    and unacknowledged. An application attribute `lifespan`, a callable without arguments that
    returns an async context manager, is open around all jobs.
    """

    limit: int
    app: Celery

    def __init__(self, limit: int, **options: object) -> None:
        super().__init__(limit, **options)  # type: ignore[arg-type]
        if options.get("threads", True):
            raise PoolRefused(
                "The asyncio pool needs a broker that works with an event loop: set the broker URL "
                "to amqp:// or redis://."
            )
        self._hub: Hub | None = None
        self._reports: Mailbox[JobReport | LoopDied | Callable[[], None]] = Mailbox()
        _, hostname = cast("tuple[Celery, str]", options["initargs"])
        self._execution = JobExecution(self.app, hostname=hostname, report=self._reports.put)
        self._thread = LoopThread(
            lifespan=getattr(self.app, "lifespan", nullcontext),
            execute=self._execution.execute,
            died=self._reports.put,
        )
        self._slots = JobSlots(limit, start=self._thread.run)
        self._soft_limit_seconds = cast("float | None", options.get("soft_timeout"))
        self._hard_limit_seconds = cast("float | None", options.get("timeout"))
        self._admits = False
        self._is_closing = False
        self._is_closed = False

    def on_start(self) -> None:
        """Open the lifespan. Raises LifespanFailed, which stops the worker with exit code 1."""
        self._thread.start(while_opening=state.maybe_shutdown)
        atexit.register(self._close)
        self._admits = True

    def did_start_ok(self) -> bool:
        return self._thread.is_alive

    def register_with_event_loop(self, loop: Hub) -> None:
        """Read the event loop's reports in the hub; called again after every reconnection."""
        self._hub = loop
        loop.add_reader(self._reports.fileno(), self.settle_reports)

    def on_apply(  # type: ignore[override]
        self,
        target: object,
        args: tuple[str, str, dict[str, object], object, object, object],
        *_: object,
        accept_callback: Callable[[int, float], None],
        timeout_callback: Callable[[bool, float], None],
        callback: Callable[[Outcome], None],
        soft_timeout: float | None = None,
        timeout: float | None = None,
        **__: object,
    ) -> Job:
        """Run a task now, or when one of the running jobs has ended."""
        if target not in (fast_trace_task, trace_task_ret):
            raise TypeError(f"The asyncio pool runs Celery tasks only, not {target!r}.")
        request: Request = accept_callback.__self__  # type: ignore[attr-defined]
        job = Job(
            *args[:3],
            args=request.args,
            kwargs=request.kwargs,
            request=request,
            on_accepted=accept_callback,
            on_timeout=timeout_callback,
            on_ended=callback,
            soft_limit_seconds=soft_timeout or self._soft_limit_seconds,
            hard_limit_seconds=timeout or self._hard_limit_seconds,
            number=Job.next_number(),
        )
        # A message that still arrives during a shutdown stays unacknowledged and comes again.
        if self._admits:
            self._slots.add(job)
        return job

    def attend(self, errand: Errand, *, then: Callable[[bool], None]) -> None:
        """Run an errand on the event loop; `then` hears in the hub's thread if it succeeded."""
        self._thread.attend(errand, then=lambda done: self._reports.put(partial(then, done)))

    def terminate_job(self, pid: int, signal: int | None = None) -> None:
        """Cancel the coroutine of this one job. A plain `def` task's thread runs on unheeded."""
        job = self._slots.running(pid)
        if job is not None:
            job.signal = signal
            self._thread.terminate(job)

    def grow(self, n: int = 1) -> None:
        self.limit += n
        self._slots.resize(self.limit)

    def shrink(self, n: int = 1) -> None:
        self.limit = max(self.limit - n, 1)
        self._slots.resize(self.limit)

    def flush(self) -> None:
        """Forget the jobs that wait: their connection is lost and their messages come again."""
        self._slots.forget_waiting()

    def settle_reports(self) -> None:
        """Hand on what the event loop reported, and fill the slots that became free."""
        for report in self._reports.take():
            if isinstance(report, LoopDied):
                self._lose_loop(report)
                continue
            try:
                self._settle(report) if isinstance(report, JobReport) else report()
            except Exception:  # the border of one job: the hub belongs to all the others too
                logger.exception("Could not settle %r", report)
        self._slots.fill()

    def _settle(self, report: JobReport) -> None:
        job, event, seconds, outcome = report
        match event:
            case JobEvent.SOFT_LIMIT:
                job.on_timeout(True, seconds)
            case JobEvent.HARD_LIMIT:
                job.settled = True
                job.on_timeout(False, seconds)
            case JobEvent.ENDED:
                self._slots.release(job)
                if not job.settled and outcome is not None:
                    job.on_ended(outcome)
            case _:
                assert_never(event)

    def _lose_loop(self, loss: LoopDied) -> None:
        logger.critical("%s; the worker stops.", loss)
        self._admits = False
        self._slots.forget_waiting()
        for job in self._slots:
            job.settled = True
        if not self._is_closing:
            raise WorkerShutdown(EX_FAILURE)

    def on_stop(self) -> None:
        """Warm: let everything finish. Cold (Celery has cancelled it all): wait for the cleanup."""
        # The exit code once a cold shutdown was asked for; 0 counts.
        terminating: object = state.should_terminate
        if terminating is None or terminating is False:
            self._is_closing = True
            self._wait_for_jobs(None)
        else:
            self.finish_running(CLEANUP_SECONDS)
        self._close()

    def on_terminate(self) -> None:
        """Cancel everything; none of it is acknowledged any more."""
        for job in self._slots:
            job.settled = True
            self._thread.terminate(job)
        self.finish_running(CLEANUP_SECONDS)
        self._close()

    def finish_running(self, timeout_seconds: float) -> None:
        """Take nothing more and wait for what runs, this long at most."""
        self._admits = False
        self._is_closing = True
        self._slots.forget_waiting()
        self._wait_for_jobs(timeout_seconds)

    def _wait_for_jobs(self, timeout_seconds: float | None) -> None:
        give_up_at = inf if timeout_seconds is None else monotonic() + timeout_seconds
        while not self._slots.is_idle and self._thread.is_alive:
            seconds_left = give_up_at - monotonic()
            if seconds_left <= 0:
                return
            self._reports.wait(min(0.5, seconds_left))
            self.settle_reports()
            if self._hub is not None:
                # Heartbeats. ValueError: a signal came while the hub itself was firing timers.
                with suppress(ValueError):
                    self._hub.fire_timers()

    def _close(self) -> None:
        """End the event loop and with it the lifespan; once."""
        if self._is_closed:
            return
        self._is_closed = self._is_closing = True
        for job in self._slots:
            job.settled = True
        self._thread.stop(timeout_seconds=CLEANUP_SECONDS)
        if self._hub is not None:
            self._hub.remove(self._reports.fileno())
        self._reports.close()

    @property
    def has_running_jobs(self) -> bool:
        return self._slots.running_count > 0

    @property
    def num_processes(self) -> int:
        return self.limit

    def _get_info(self) -> dict[str, object]:
        return {
            "implementation": f"{type(self).__module__}:{type(self).__name__}",
            "max-concurrency": self.limit,
            "processes": [os.getpid()],
            "timeouts": [self._soft_limit_seconds or 0, self._hard_limit_seconds or 0],
            "event-loop": self._thread.loop_name,
            "running": self._slots.running_count,
            "waiting": self._slots.waiting_count,
        }
