"""The Celery message that wakes a worker.

Task protocol 2: the task in the headers, `[args, kwargs, embed]` in the body. A message carries
an id and no prompt; `argsrepr` and `kwargsrepr`, which Flower shows, are fixed.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from os import getpid
from typing import Any, Final

import msgspec

from shared.messages.lane import WakeUp
from shared.queueing.task_names import TaskName

CONTENT_TYPE: Final = "application/json"
CONTENT_ENCODING: Final = "utf-8"
BUNDLE_MARK: Final = b'"bundle":['
"""In the body of every wake-up that carries others: see `reading.bundle`."""

_json: Final = msgspec.json.Encoder()
_KWARGS: Final = b'{"message_id":"%b","lane":"%b","deadline":%b}'
_BODY: Final = b'[[],%b,{"callbacks":null,"errbacks":null,"chain":null,"chord":null%b}]'
_BUNDLED: Final = b'["%b",%b,%b]'


def constant_headers(origin: str, *, task: TaskName = TaskName.ANSWER) -> dict[str, Any]:
    """Every header that is the same for all wake-ups; `id`, `root_id` and the trace are not."""
    return {
        "lang": "py",
        "task": task.value,
        "shadow": None,
        "eta": None,
        "expires": None,
        "group": None,
        "group_index": None,
        "retries": 0,
        "timelimit": [None, None],
        "parent_id": None,
        "argsrepr": "()",
        "kwargsrepr": "{...}",
        "origin": origin,
        "ignore_result": True,
        "replaced_task_nesting": 0,
        "stamped_headers": None,
        "stamps": {},
    }


def wake_up_body(wake_up: WakeUp, others: Sequence[WakeUp] = ()) -> bytes:
    """`[args, kwargs, embed]` as JSON, `others` bundled with it (see `reading.bundle`).

    Ids and lanes are ours and need no escaping.
    """
    return _BODY % (_kwargs(wake_up), _bundle(others) if others else b"")


def _bundle(others: Sequence[WakeUp]) -> bytes:
    bundled = [
        _BUNDLED % (each.message_id.encode(), _kwargs(each), _json.encode(each.trace))
        for each in others
    ]
    return b",%b%b]" % (BUNDLE_MARK, b",".join(bundled))


def _kwargs(wake_up: WakeUp) -> bytes:
    return _KWARGS % (
        wake_up.message_id.encode(),
        wake_up.lane.encode(),
        _json.encode(wake_up.deadline),  # thirty times as fast as isoformat
    )


def own_origin() -> str:
    """Who sends, in Celery's words: a process at a host."""
    return f"forebay-{getpid()}@{socket.gethostname()}"
