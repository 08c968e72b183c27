"""A Celery task's message, put together again from what its request holds."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from celery.app.task import Context

from shared.messages.dead_letter import Bury, DeadReason
from shared.queueing.reading.delivery import Delivery

_CELERYS: Final = frozenset(
    {
        *("args", "kwargs", "properties", "reply_to", "correlation_id", "hostname"),
        *("delivery_info", "headers", "is_eager", "called_directly", "time_limit"),
        "soft_time_limit",
    }
)
"""What Celery puts beside the headers that came."""
_NOTHING_FOLLOWS: Final[dict[str, Any]] = {}


def delivery_of_task(request: Context) -> Delivery:
    """The message, with its body as JSON again; what JSON cannot hold is left out of it."""
    properties: dict[str, Any] = request.properties or {}
    return Delivery(
        body=_body(request),
        headers={name: value for name, value in vars(request).items() if name not in _CELERYS},
        correlation_id=_text(properties.get("correlation_id")),
        reply_to=_text(properties.get("reply_to")),
        message_id=_text(properties.get("message_id")),
    )


def authorization_of(headers: dict[str, Any]) -> str | None:
    """The header of that name, however it is spelt."""
    for name, value in headers.items():
        if str(name).lower() == "authorization" and isinstance(value, str):
            return value
    return None


def arguments_of(request: Context) -> bytes | Bury:
    """The keyword arguments as JSON, or why they are none."""
    if request.args:
        return Bury(
            DeadReason.INVALID, "Positional arguments are not taken. Use keyword arguments."
        )
    try:
        return msgspec.json.encode(request.kwargs)
    except (ValueError, TypeError, RecursionError) as error:
        return Bury(DeadReason.MALFORMED, f"The arguments are not JSON in UTF-8: {error}.")


def _body(request: Context) -> bytes:
    try:
        return msgspec.json.encode([request.args, request.kwargs, _NOTHING_FOLLOWS])
    except (ValueError, TypeError, RecursionError):
        return b""


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
