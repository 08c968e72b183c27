"""Run one task on the event loop with everything Celery's own tracer does around it.

`celery.app.trace.build_tracer` is one synchronous function. This is its asynchronous sibling: the
same signals, hooks, log lines and results in the same order. What may block (a result backend,
callbacks, chains, a plain `def` task) runs in the loop's threads.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine
from time import monotonic
from typing import cast

from celery import Celery, Task, signals
from celery.app import trace
from celery.exceptions import Ignore, Reject, Retry
from kombu.serialization import loads, prepare_accept_content

from shared.pool.job import Job, Outcome
from shared.pool.loop.outcome import OutcomeRecorder
from shared.pool.loop.request_context import JobContext, find_by_context, request_context
from shared.pool.loop.time_limits import interruptible

Arguments = tuple[list[object], dict[str, object], dict[str, object] | None]


class AsyncTracer:
    """Traces the executions of one task type; any number at a time."""

    def __init__(self, task: Task[..., object], *, app: Celery, hostname: str) -> None:
        find_by_context(task)
        self._task = task
        self._hostname = hostname
        self._accept = prepare_accept_content(app.conf.accept_content)
        self._recorder = OutcomeRecorder(task, app=app, hostname=hostname)
        self._function: Callable[..., object] = (
            task if trace.task_has_custom(task, "__call__") else task.run
        )
        self._is_coroutine = inspect.iscoroutinefunction(inspect.unwrap(task.run))
        self._before_start = trace.task_has_custom(task, "before_start")
        self._after_return = trace.task_has_custom(task, "after_return")

    async def trace(self, job: Job) -> Outcome:
        """Run the job to its outcome. Never raises, except CancelledError when it was cancelled."""
        started = monotonic()
        args, kwargs, embed = self._arguments(job)
        request = JobContext(
            job.headers | (embed or {}),
            args=args,
            kwargs=kwargs,
            hostname=self._hostname,
            is_eager=False,
            called_directly=False,
        )
        with request_context(self._task, request, job_number=job.number):
            return await self._with_signals(job, request, started)

    def _arguments(self, job: Job) -> Arguments:
        if isinstance(job.body, tuple):
            return cast("Arguments", job.body)
        kind, encoding = job.content_type or "application/json", job.content_encoding or "utf-8"
        return cast("Arguments", loads(job.body, kind, encoding, accept=self._accept))

    async def _with_signals(self, job: Job, request: JobContext, started: float) -> Outcome:
        task, about = self._task, {"task_id": job.task_id, "task": self._task}
        about |= {"args": request.args, "kwargs": request.kwargs}
        state: str | None = None
        value: object = None
        try:
            if signals.task_prerun.receivers:
                signals.task_prerun.send(sender=task, **about)
            await self._recorder.started(request)
            state, value, outcome = await self._attempt(job, request, started)
            if self._after_return and state not in trace.IGNORE_STATES:
                self._call_after_return(state, value, request)
            return outcome
        finally:
            if signals.task_postrun.receivers:
                signals.task_postrun.send(sender=task, **about, retval=value, state=state)

    async def _attempt(
        self, job: Job, request: JobContext, started: float
    ) -> tuple[str, object, Outcome]:
        """Call the task; give its state, its return value or exception, and the outcome."""
        recorder = self._recorder
        try:
            if self._before_start:
                self._task.before_start(job.task_id, request.args, request.kwargs)
            value = await self._call(job, request)
        except Reject as rejection:
            return trace.REJECTED, rejection, recorder.rejected(request, rejection)
        except Retry as retry:
            return trace.RETRY, retry, await recorder.retried(request, retry)
        except Ignore as ignored:
            return trace.IGNORED, ignored, recorder.ignored(request, ignored)
        except BaseException as error:
            if _is_ours(error, job):
                raise
            return trace.FAILURE, error, await recorder.failed(request, error)
        return await recorder.succeeded(request, value, started=started)

    async def _call(self, job: Job, request: JobContext) -> object:
        if self._is_coroutine:
            work = self._function(*request.args, **request.kwargs)
        else:
            work = asyncio.to_thread(self._function, *request.args, **request.kwargs)
        coroutine = cast("Coroutine[object, object, object]", work)
        job.working = True
        try:
            # Driving a coroutine costs a little on every step: only where it can be needed.
            return await (interruptible(coroutine, job) if job.soft_limit_seconds else coroutine)
        finally:
            job.working = False

    def _call_after_return(self, state: str, value: object, request: JobContext) -> None:
        try:
            self._task.after_return(
                state,
                value,
                request.id,
                request.args,
                request.kwargs,
                None,  # type: ignore[arg-type]
            )
        except Exception:  # noqa: BLE001 - the task edge; the outcome stands
            trace.logger.exception("Task %s[%s] after_return raised", self._task.name, request.id)


def _is_ours(error: BaseException, job: Job) -> bool:
    """Tell the pool's own cancellation from one that the task's code brought upon itself."""
    given_up = job.interruption is not None and job.interruption.is_final
    return given_up and isinstance(error, asyncio.CancelledError)
