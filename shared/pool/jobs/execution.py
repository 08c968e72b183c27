"""A job on the event loop: its task called, limited in time, its end reported once.

What Celery's own tracer (`celery.app.trace`) does around a task, cut to what this pool runs: the
same signals and log lines in the same order. Results, hooks, callbacks and retries are refused
before a task is called (`preparation`, `poison`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic
from typing import Any, Final

from billiard.einfo import ExceptionInfo
from celery import Celery, Task, signals, states
from celery._state import _task_stack  # type: ignore[attr-defined]
from celery.app import trace
from celery.app.task import Context
from celery.exceptions import Ignore, Reject, Retry, Terminated
from celery.utils.saferepr import saferepr
from celery.utils.threads import get_ident
from kombu.utils.encoding import safe_repr

from shared.pool.jobs.job import Job, JobEvent, JobReport, Outcome, TimeLimits, interruptible
from shared.pool.jobs.preparation import PreparedTask, prepare_task, require_no_results

_SHORT: Final = 200
_running_job: ContextVar[int | None] = ContextVar("running_job", default=None)


class JobExecution:
    """Executes jobs on the event loop; every job ends in exactly one ENDED report.

    Raises PoolRefused for an application that asks for what this pool does not do.
    """

    def __init__(self, app: Celery, *, hostname: str, report: Callable[[JobReport], None]) -> None:
        require_no_results(app)
        self._app = app
        self._hostname = hostname
        self._report = report
        self._prepared = {name: prepare_task(app.tasks[name], _identity) for name in app.tasks}

    async def execute(self, job: Job) -> None:
        """Run the job. Never raises."""
        limits = TimeLimits(job, report=self._report)
        limits.start()
        try:
            outcome = await self._run(job)
        except asyncio.CancelledError:
            outcome = _terminated(job)
        except Exception as error:  # noqa: BLE001 - the task edge: a fault of ours fails the task
            internal = trace.report_internal_error(self._app.tasks[job.task_name], error)
            outcome = (1, internal, None)
        limits.stop()
        if job.interruption is not None and job.interruption.is_final:
            # The work was given up, whatever the coroutine made of its cancellation: reporting
            # success now would acknowledge a message that is to be delivered again.
            outcome = _terminated(job)
        self._report(JobReport(job, JobEvent.ENDED, outcome=outcome))

    async def _run(self, job: Job) -> Outcome:
        prepared = self._prepared[job.task_name]
        task = prepared.task
        request = Context(
            job.headers, hostname=self._hostname, is_eager=False, called_directly=False
        )
        about = {"task_id": job.task_id, "args": job.args, "kwargs": job.kwargs}
        state: str | None = None
        value: object = None
        with _current(task, request, job_number=job.number):
            try:
                if signals.task_prerun.receivers:
                    signals.task_prerun.send(sender=task, task=task, **about)
                state, value, outcome = await _attempt(job, prepared, request)
                return outcome
            finally:
                if signals.task_postrun.receivers:
                    end = {"retval": value, "state": state}
                    signals.task_postrun.send(sender=task, task=task, **about, **end)


async def _attempt(
    job: Job, prepared: PreparedTask, request: Context
) -> tuple[str, object, Outcome]:
    """Call the task; give its state, its return value or exception, and the outcome."""
    started = monotonic()
    try:
        value = await _call(job, prepared)
    except (Reject, Ignore) as wish:  # the hub gives the message back or away
        state = states.REJECTED if isinstance(wish, Reject) else states.IGNORED
        _log(prepared.task, request, state, ExceptionInfo())
        return state, wish, (1, ExceptionInfo(internal=True), None)
    except BaseException as error:
        if _is_ours(error, job):
            raise
        return states.FAILURE, error, _failed(prepared.task, request, _as_failure(error))
    seconds = monotonic() - started
    return states.SUCCESS, value, _succeeded(prepared.task, request, value, seconds=seconds)


async def _call(job: Job, prepared: PreparedTask) -> object:
    work = prepared.function(*job.args, **job.kwargs)
    job.working = True
    try:
        # Driving a coroutine costs a little on every step: only where it can be needed.
        return await (interruptible(work, job) if job.soft_limit_seconds else work)
    finally:
        job.working = False


def _succeeded(
    task: Task[..., object], request: Context, value: object, *, seconds: float
) -> Outcome:
    printable = _printable(value, task.resultrepr_maxsize)
    if signals.task_success.receivers:
        signals.task_success.send(sender=task, result=value, runtime=seconds)
    if trace.logger.isEnabledFor(logging.INFO):
        about: dict[str, Any] = {
            "id": request.id,
            "name": trace.get_task_name(request, task.name),
            "return_value": printable,
            "runtime": seconds,
            "args": request.get("argsrepr") or safe_repr(request.args),
            "kwargs": request.get("kwargsrepr") or safe_repr(request.kwargs),
        }
        trace.info(trace.LOG_SUCCESS, about)
    return 0, printable, seconds


def _failed(task: Task[..., object], request: Context, error: Exception) -> Outcome:
    failure = ExceptionInfo((type(error), error, error.__traceback__))
    about = {"task_id": request.id, "args": request.args, "kwargs": request.kwargs}
    signals.task_failure.send(
        sender=task, exception=error, traceback=error.__traceback__, einfo=failure, **about
    )
    # Celery goes on to clear the frames of the traceback. Not here: an exception shared by several
    # coroutines holds frames of those that caught it and run on, and clearing a suspended frame
    # ends its coroutine.
    _log(task, request, states.FAILURE, failure)
    return 1, failure, None


def _as_failure(error: BaseException) -> Exception:
    """A task that exits, cancels itself or raises Retry fails, and takes no neighbours with it."""
    if isinstance(error, Exception) and not isinstance(error, Retry):
        return error
    return RuntimeError(f"the task raised {error!r}").with_traceback(error.__traceback__)


def _log(task: Task[..., object], request: Context, state: str, failure: ExceptionInfo) -> None:
    trace.TraceInfo(state)._log_error(task, request, failure)  # type: ignore[attr-defined]


def _printable(value: object, limit: int) -> str:
    """As Celery prints it: its walk through the value costs more than a short text needs."""
    if value is None or (isinstance(value, str) and len(value) < _SHORT):
        return repr(value)
    return saferepr(value, limit)


def _is_ours(error: BaseException, job: Job) -> bool:
    """Tell the pool's own cancellation from one that the task's code brought upon itself."""
    given_up = job.interruption is not None and job.interruption.is_final
    return given_up and isinstance(error, asyncio.CancelledError)


def _terminated(job: Job) -> Outcome:
    try:
        raise Terminated(job.signal or 0)
    except Terminated:
        return 1, ExceptionInfo(), None


@contextmanager
def _current(task: Task[..., object], request: Context, *, job_number: int) -> Iterator[None]:
    """Make `request` the current one for this coroutine and for what it starts.

    Celery keeps `task.request` and `current_task` on stacks that are found by thread. Here they
    are found by `_identity`, a context variable, which asyncio copies into every task,
    `asyncio.to_thread` call and task group that a job starts.
    """
    requests = task.request_stack
    token = _running_job.set(job_number)
    _task_stack.push(task)
    requests.push(request)
    try:
        yield
    finally:
        # Released whole, so that an unbalanced push in a task cannot stay behind.
        requests.__release_local__()
        _task_stack.__release_local__()
        _running_job.reset(token)


def _identity() -> int:
    job = _running_job.get()
    return get_ident() if job is None else job
