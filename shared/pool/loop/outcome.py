"""Record what became of a task: result backend, callbacks, hooks, signals, log lines."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from time import monotonic
from typing import Any, TypeVar

from billiard.einfo import ExceptionInfo
from celery import Celery, Task, signals, states
from celery.app import trace
from celery.app.task import get_actual_ignore_result  # type: ignore[attr-defined]
from celery.backends.base import DisabledBackend
from celery.exceptions import Ignore, Reject, Retry
from celery.utils.saferepr import saferepr
from celery.utils.serialization import get_pickleable_exception
from kombu.exceptions import EncodeError, OperationalError
from kombu.utils.encoding import safe_repr

from shared.pool.job import Outcome
from shared.pool.loop.request_context import JobContext

Value = TypeVar("Value")


class OutcomeRecorder:
    """Records the outcomes of one task type as Celery's own tracer does.

    Calls that may block go to a thread; without a result backend, callbacks or a chain there are
    none and nothing leaves the event loop.
    """

    def __init__(self, task: Task[..., object], *, app: Celery, hostname: str) -> None:
        self._task = task
        self._app = app
        self._hostname = hostname
        self._on_success = trace.task_has_custom(task, "on_success")
        self._stores_nothing = isinstance(app.backend, DisabledBackend)

    async def started(self, request: JobContext) -> None:
        """Store the STARTED state where the task asks for it."""
        task = self._task
        if task.track_started and not get_actual_ignore_result(task, request):
            meta = {"pid": os.getpid(), "hostname": self._hostname}
            await self._unblocked(
                request,
                lambda: task.backend.store_result(
                    request.id, meta, states.STARTED, request=request
                ),
            )

    async def succeeded(
        self, request: JobContext, value: object, *, started: float
    ) -> tuple[str, object, Outcome]:
        """Send callbacks and chain, store the result, tell everybody; else it is a failure."""
        try:
            await self._unblocked(request, lambda: self._store_success(request, value))
        except (EncodeError, OperationalError) as error:
            return states.FAILURE, error, await self.failed(request, error)
        seconds = monotonic() - started
        printable = "None" if value is None else saferepr(value, self._task.resultrepr_maxsize)
        self._announce_success(request, value, printable, seconds)
        return states.SUCCESS, value, (0, printable, seconds)

    async def failed(self, request: JobContext, error: BaseException) -> Outcome:
        """Store the failure, send errbacks, call `on_failure` and the signal, log it."""
        exception = _presentable(error)
        failure = ExceptionInfo((type(exception), exception, exception.__traceback__))
        await self._unblocked(request, lambda: self._store_failure(request, exception, failure))
        self._task.on_failure(exception, request.id, request.args, request.kwargs, failure)
        signals.task_failure.send(
            sender=self._task,
            task_id=request.id,
            exception=exception,
            args=request.args,
            kwargs=request.kwargs,
            traceback=exception.__traceback__,
            einfo=failure,
        )
        # Celery goes on to clear the frames of the traceback. Not here: an exception shared by
        # several coroutines holds frames of those that caught it and run on, and clearing a
        # suspended frame ends its coroutine.
        info = trace.TraceInfo(states.FAILURE, exception)
        info._log_error(self._task, request, failure)  # type: ignore[attr-defined]
        return 1, failure, None

    async def retried(self, request: JobContext, retry: Retry) -> Outcome:
        """Store RETRY, call `on_retry` and the signal, log it."""

        def handle() -> ExceptionInfo:
            try:
                raise retry  # Celery reads the exception that is being handled
            except Retry:
                return trace.TraceInfo(states.RETRY, retry).handle_error_state(
                    self._task, request, call_errbacks=False
                )

        return 1, await self._unblocked(request, handle), None

    def rejected(self, request: JobContext, rejection: Reject) -> Outcome:
        """Log a Reject; the hub gives the message back or away."""
        trace.TraceInfo(states.REJECTED, rejection).handle_reject(self._task, request)
        return 1, ExceptionInfo(internal=True), None

    def ignored(self, request: JobContext, ignored: Ignore) -> Outcome:
        """Log an Ignore; nothing is stored."""
        trace.TraceInfo(states.IGNORED, ignored).handle_ignore(self._task, request)
        return 1, ExceptionInfo(internal=True), None

    async def _unblocked(self, request: JobContext, store: Callable[[], Value]) -> Value:
        if self._stores_nothing and not (
            request.callbacks or request.errbacks or request.chain or request.chord
        ):
            return store()
        return await asyncio.to_thread(store)

    def _store_success(self, request: JobContext, value: object) -> None:
        self._send_follow_ups(request, value)
        self._task.backend.mark_as_done(
            request.id, value, request, not get_actual_ignore_result(self._task, request)
        )

    def _send_follow_ups(self, request: JobContext, value: object) -> None:
        family: dict[str, Any] = {"parent_id": request.id, "root_id": request.root_id or request.id}
        for callback in request.callbacks or ():
            self._app.signature(callback).apply_async((value,), **family)
        if request.chain:
            following = self._app.signature(request.chain[-1])
            following.apply_async((value,), chain=request.chain[:-1], **family)

    def _store_failure(
        self, request: JobContext, exception: Exception, failure: ExceptionInfo
    ) -> None:
        ignored = get_actual_ignore_result(self._task, request)
        self._task.backend.mark_as_failure(
            request.id,
            exception,
            failure.traceback,
            request=request,
            store_result=not ignored or self._task.store_errors_even_if_ignored,
        )

    def _announce_success(
        self, request: JobContext, value: object, printable: str, seconds: float
    ) -> None:
        task = self._task
        if self._on_success:
            try:
                task.on_success(value, request.id, request.args, request.kwargs)
            except Exception:  # noqa: BLE001 - the task edge
                # The result is stored: a failure now would be a second outcome.
                trace.logger.exception("Task %s[%s] on_success raised", task.name, request.id)
        if signals.task_success.receivers:
            signals.task_success.send(sender=task, result=value, runtime=seconds)
        if trace.logger.isEnabledFor(logging.INFO):
            trace.info(
                trace.LOG_SUCCESS,
                {
                    "id": request.id,
                    "name": trace.get_task_name(request, task.name),
                    "return_value": printable,
                    "runtime": seconds,
                    "args": request.get("argsrepr") or safe_repr(request.args),
                    "kwargs": request.get("kwargsrepr") or safe_repr(request.kwargs),
                },
            )


def _presentable(error: BaseException) -> Exception:
    """The error as backends and signals can take it."""
    if not isinstance(error, Exception):
        # A task that exits or cancels itself fails; it must not take its neighbours with it.
        error = RuntimeError(f"the task raised {error!r}").with_traceback(error.__traceback__)
    exception: Exception = get_pickleable_exception(error)
    if exception.__traceback__ is None:
        exception.__traceback__ = error.__traceback__
    return exception
