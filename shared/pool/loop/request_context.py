"""Make `task.request` and `current_task` belong to a coroutine, not to a thread.

Celery keeps both on stacks that are found by thread (or greenlet). With hundreds of coroutines in
one thread every task would see the request that was pushed last. Here the stacks are found by a
context variable, which asyncio copies into every task, `asyncio.to_thread` call and task group that
a job starts.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from celery import Task
from celery._state import _task_stack  # type: ignore[attr-defined]
from celery.app.task import Context
from celery.utils.threads import get_ident

from shared.pool.errors import PoolRefused


class JobContext(Context):
    """The request of a job: never without its id and arguments."""

    if TYPE_CHECKING:
        id: str
        args: tuple[object, ...]
        kwargs: dict[str, object]


_running_job: ContextVar[int | None] = ContextVar("running_job", default=None)


def _identity() -> int:
    job = _running_job.get()
    return get_ident() if job is None else job


def find_by_context(task: Task[..., object]) -> None:
    """Let the stacks behind `task.request` and `current_task` be found by coroutine."""
    for stack in (_task_stack, task.request_stack):
        if not hasattr(stack, "__ident_func__"):
            raise PoolRefused("Unset USE_FAST_LOCALS: the asyncio pool cannot run with it.")
        stack.__ident_func__ = _identity  # type: ignore[misc]


@contextmanager
def request_context(
    task: Task[..., object], request: JobContext, *, job_number: int
) -> Iterator[None]:
    """Make `request` the current one for this coroutine and for what it starts."""
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
