"""Answers to producers that came over the `intake` queue and named a queue to reply to.

plain: the response object as JSON. celery: the same inside a result of the `rpc://` backend,
for which `AsyncResult.get()` of a stock Celery producer waits.
"""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from shared.messages.record import ReplyShape
from shared.queueing.topology import QueueName
from shared.settings.servers import BrokerSettings

LONGEST_NAME_BYTES: Final = 255
_REDIS_REPLY_LIST: Final = re.compile(r"reply\.[A-Za-z0-9_.:-]{1,200}|[0-9a-f]{8}[0-9a-f-]{24,28}")
_QUEUES: Final = frozenset(queue.value for queue in QueueName)


class QueuedAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One answer, addressed. Build it with `response_answer` or `error_answer`."""

    reply_to: str
    correlation_id: str
    body: bytes


def may_reply_to(reply_to: str, broker: BrokerSettings) -> bool:
    """Whether a producer may name this queue: never one of ours, and on Redis no foreign key."""
    if not reply_to or len(reply_to.encode(errors="replace")) > LONGEST_NAME_BYTES:
        return False
    if broker.is_redis:
        return _REDIS_REPLY_LIST.fullmatch(reply_to) is not None
    return reply_to not in _QUEUES and "\0" not in reply_to


def response_answer(
    response: bytes, *, reply_to: str, correlation_id: str, shape: ReplyShape
) -> QueuedAnswer:
    """The answer that carries a response object, given as JSON; failed responses too."""
    if shape is ReplyShape.CELERY:
        response = _celery_result(correlation_id, status="SUCCESS", result=msgspec.Raw(response))
    return QueuedAnswer(reply_to=reply_to, correlation_id=correlation_id, body=response)


def error_answer(
    code: str,
    message: str,
    *,
    reply_to: str,
    correlation_id: str,
    shape: ReplyShape,
    param: str | None = None,
) -> QueuedAnswer:
    """The answer to a message that was not accepted: OpenAI's error object, or a Celery failure."""
    if shape is ReplyShape.CELERY:
        failure = {
            "exc_type": "MessageRefused",
            "exc_message": [f"{code}: {message}"],
            "exc_module": "forebay",
        }
        body = _celery_result(correlation_id, status="FAILURE", result=failure)
    else:
        error = {"message": message, "type": "invalid_request_error", "code": code, "param": param}
        body = msgspec.json.encode({"error": error})
    return QueuedAnswer(reply_to=reply_to, correlation_id=correlation_id, body=body)


def _celery_result(task_id: str, *, status: str, result: Any) -> bytes:
    return msgspec.json.encode(
        {
            "task_id": task_id,
            "status": status,
            "result": result,
            "traceback": None,
            "children": [],
        }
    )
