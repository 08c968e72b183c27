"""What remote control reads while the event loop changes it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from weakref import WeakSet

from celery.worker import state as worker_state
from celery.worker.consumer.control import Control
from celery.worker.control import inspect_command
from celery.worker.request import Request

_state: Any = worker_state  # whose stubs are older than it


def snapshot(requests: Iterable[Request]) -> set[Request]:
    """The requests of one of Celery's sets, as of now, whatever another thread does to it."""
    if not isinstance(requests, WeakSet):
        return set(requests)
    # One step of the interpreter; walking through the set itself would be many.
    references = list(requests.data)  # type: ignore[attr-defined]  # the stubs leave it out
    return {request for reference in references if (request := reference()) is not None}


class LoopControl(Control):
    """Celery's remote control, which takes its sets of requests by `snapshot`."""

    def __init__(self, c: Any, **kwargs: Any) -> None:
        super().__init__(c, **kwargs)
        box: Any = vars(self)["box"]
        box.node.state.tset = snapshot


@inspect_command(name="scheduled", alias="dump_schedule")
def scheduled(_: Any, **__: Any) -> list[dict[str, object]]:
    """List of currently scheduled ETA/countdown tasks."""
    return [
        {
            "eta": request.eta.isoformat() if request.eta else None,
            "priority": 6,
            "request": request.info(),
        }
        for request in snapshot(_state.scheduled_requests)
    ]
