"""Which tasks this pool runs: coroutines on its event loop, and plain functions in a thread.

Celery can do more around a task than that. What this pool leaves out it refuses when the worker
starts, with what to do instead: a task that says it wants a result kept or a hook called shall not
run without it and nobody notice.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Final, NamedTuple, NoReturn

from celery import Celery, Task
from celery._state import _task_stack  # type: ignore[attr-defined]
from celery.backends.base import DisabledBackend

from shared.pool.errors import PoolRefused, RetryRefused

_CELERYS_OWN: Final = (Task, object)
_HOOKS: Final = frozenset(
    ("__call__", "before_start", "on_success", "on_failure", "on_retry", "after_return")
)


class PreparedTask(NamedTuple):
    """A task, and the function that begins a run of it; to be awaited on the event loop."""

    task: Task[..., object]
    function: Callable[..., Coroutine[object, object, object]]


def require_no_results(app: Celery) -> None:
    """Raise PoolRefused where results of tasks are to be kept: nobody would write them."""
    if not isinstance(app.backend, DisabledBackend):
        raise PoolRefused(
            "The asyncio pool keeps no results of tasks: take result_backend out of the "
            "application and CELERY_RESULT_BACKEND out of the environment, or build the "
            "application with backend='disabled://'."
        )


def prepare_task(task: Task[..., object], identify: Callable[[], int]) -> PreparedTask:
    """Let the task be run here, its request found by `identify`. Raises PoolRefused."""
    for kind in type(task).__mro__:
        if kind not in _CELERYS_OWN and (hooks := _HOOKS & vars(kind).keys()):
            raise PoolRefused(
                f"The asyncio pool never calls {min(hooks)}, which the task {task.name} defines: "
                f"do the same in the task itself, or connect to Celery's signals."
            )
    if getattr(task, "autoretry_for", ()):
        raise PoolRefused(
            f"The asyncio pool repeats no task, and {task.name} has autoretry_for: try again "
            f"inside the task."
        )
    for stack in (_task_stack, task.request_stack):
        if not hasattr(stack, "__ident_func__"):
            raise PoolRefused("Unset USE_FAST_LOCALS: the asyncio pool cannot run with it.")
        stack.__ident_func__ = identify  # type: ignore[misc]
    task.retry = partial(_refuse_retry, task.name)  # type: ignore[method-assign]
    return PreparedTask(task, _as_coroutine(task.run))


def _as_coroutine(
    function: Callable[..., Any],
) -> Callable[..., Coroutine[object, object, object]]:
    if inspect.iscoroutinefunction(inspect.unwrap(function)):
        return function
    return partial(_in_thread, function)


async def _in_thread(function: Callable[..., Any], *args: object, **kwargs: object) -> object:
    value = await asyncio.to_thread(function, *args, **kwargs)
    # A coroutine function that a decorator hides: what it gave has done nothing yet.
    return await value if inspect.isawaitable(value) else value


def _refuse_retry(name: str, *_: object, **__: object) -> NoReturn:
    # Celery's own sends the task anew before it raises: it would both fail here and run again.
    raise RetryRefused(
        f"The asyncio pool repeats no task: {name} called retry. Try again inside the task, or "
        f"raise celery.exceptions.Reject(requeue=True) to have its message delivered again."
    )
