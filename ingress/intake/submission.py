"""What a producer put onto the `intake` queue, taken apart and checked.

Two shapes, one content: the documented JSON as the whole body, or as the keyword arguments of a
Celery task `forebay.intake` (protocol 2: task in the headers, `[args, kwargs, embed]` in the body).
"""

from __future__ import annotations

from datetime import datetime
from hashlib import blake2b
from typing import Any

import msgspec

from shared.accepting.reply_address import LONGEST_KEY
from shared.decoding import Json, cut_json, decode_json, whole_json
from shared.errors import ForebayError, InvalidRequest, TooLarge
from shared.messages.body import Body
from shared.messages.dead_letter import Bury, DeadReason
from shared.messages.requests.calls import TEXT_LIMIT_BYTES, check_text
from shared.messages.requests.create_response import body_of, place_in_input
from shared.messages.requests.intake_message import IntakeMessage
from shared.messages.requests.unsupported import explained
from shared.queueing.reading.delivery import Delivery
from shared.queueing.task_names import TaskName

_message = msgspec.json.Decoder(IntakeMessage)
_triple = msgspec.json.Decoder(tuple[list[Any], msgspec.Raw, Any])


class UnfitSubmission(ForebayError):
    """A delivery that no admission could let in, and among which dead letters it belongs."""

    code = "unfit_submission"

    def __init__(self, reason: DeadReason, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.param = param


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """A message in the documented form; who sent it is not known yet."""

    body: Body
    deadline: datetime | None
    authorization: str | None
    idempotency_key: str | None


async def submission_of(
    delivery: Delivery, *, limit_bytes: int, text_limit_bytes: int = TEXT_LIMIT_BYTES
) -> Submission:
    """Raises UnfitSubmission with the reason and one sentence for the producer."""
    raw = delivery.contents(limit_bytes=limit_bytes)
    if isinstance(raw, Bury):
        raise UnfitSubmission(raw.reason, raw.detail)
    if "task" in delivery.headers:
        raw = _celery_arguments(delivery, raw)
    message, body = _decoded(await cut_json(raw), text_limit_bytes)
    return Submission(
        body=body,
        deadline=message.deadline,
        authorization=_authorization(delivery.headers),
        idempotency_key=message.idempotency_key or _key_of_delivery(delivery),
    )


def _celery_arguments(delivery: Delivery, body: bytes) -> bytes:
    headers = delivery.headers
    if headers["task"] != TaskName.INTAKE:
        raise UnfitSubmission(
            DeadReason.UNKNOWN_TASK,
            f"The task {headers['task']!r:.100} is unknown here. Send '{TaskName.INTAKE}'.",
        )
    if not isinstance(headers.get("id"), str) or not headers["id"]:
        raise UnfitSubmission(DeadReason.MALFORMED, "The header 'id' is missing: a task has one.")
    try:
        args, kwargs, _ = _triple.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UnfitSubmission(
            DeadReason.MALFORMED, f"The body is not a JSON triple [args, kwargs, embed]: {error}."
        ) from None
    if args:
        raise UnfitSubmission(
            DeadReason.INVALID, "Positional arguments are not taken. Use keyword arguments."
        )
    return bytes(kwargs)


def _decoded(raw: Json, text_limit_bytes: int) -> tuple[IntakeMessage, Body]:
    try:
        message = decode_json(_message, raw)
        body = body_of(message)
        check_text(body, len(whole_json(raw)), place_in_input, limit_bytes=text_limit_bytes)
    except InvalidRequest as refusal:
        error = explained(refusal, whole_json(raw))
        is_json = error.kind != "invalid_json"
        reason = DeadReason.INVALID if is_json else DeadReason.MALFORMED
        raise UnfitSubmission(reason, error.message, param=error.param) from None
    except TooLarge as error:
        raise UnfitSubmission(DeadReason.TOO_LARGE, error.message, param=error.param) from None
    if message.stream:
        raise UnfitSubmission(
            DeadReason.INVALID,
            "A queue cannot stream. Leave 'stream' out, or use POST /v1/responses.",
            param="stream",
        )
    if message.deadline is not None and message.deadline.tzinfo is None:
        raise UnfitSubmission(
            DeadReason.INVALID,
            "'deadline' has no offset. Write it like 2030-01-31T12:00:00Z.",
            param="deadline",
        )
    return message, body


def _authorization(headers: dict[str, Any]) -> str | None:
    for name, value in headers.items():
        if str(name).lower() == "authorization" and isinstance(value, str):
            return value
    return None


def _key_of_delivery(delivery: Delivery) -> str | None:
    """What stays the same when the broker delivers twice or the producer sends again."""
    own = delivery.own_id
    if not own:
        return None
    key = f"intake:{own}"
    if len(key) > LONGEST_KEY or "\0" in key:
        return f"intake:{blake2b(own.encode(errors='replace'), digest_size=32).hexdigest()}"
    return key
