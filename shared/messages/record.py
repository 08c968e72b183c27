"""A message as the ledger keeps it: one row, from acceptance to its last state."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

import msgspec

from shared.messages.lane import Lane
from shared.messages.state import ResponseState


class Surface(StrEnum):
    """The door a message came through; the body's shape is the same behind all of them."""

    RESPONSES = "responses"
    CHAT = "chat"
    INTAKE = "intake"


class ReplyShape(StrEnum):
    """How an answer is sent to a queue."""

    PLAIN = "plain"
    CELERY = "celery"


class MessageRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the ledger.

    `attempt` counts claims and is the fence: a write that names an older attempt changes nothing.
    `body` is the JSON of a Body as it was committed.
    """

    id: str
    tenant_id: str
    lane: Lane
    body: str
    accepted_at: datetime
    deadline: datetime
    surface: Surface = Surface.RESPONSES
    user_id: str | None = None
    conversation_id: str | None = None
    previous_id: str | None = None
    idempotency_key: str | None = None
    body_digest: str = ""
    estimated_tokens: int = 0
    traceparent: str | None = None
    reply_to: str | None = None
    reply_correlation: str | None = None
    reply_shape: ReplyShape | None = None
    state: ResponseState = ResponseState.QUEUED
    attempt: int = 0
    not_before: datetime | None = None
    claimed_at: datetime | None = None
    claimed_by: str | None = None
    """The worker process that claimed it last, which listens under this name."""
    finished_at: datetime | None = None
    output_text: str | None = None
    answered_by: str | None = None
    model: str | None = None
    input_tokens: int | None = None
    cached_tokens: int | None = None
    output_tokens: int | None = None
    cost: Decimal | None = None
    report: str | None = None
    incomplete_reason: str | None = None
    error_code: str | None = None
    error_message: str | None = None


RECORD_FIELDS: tuple[str, ...] = MessageRecord.__struct_fields__
_ACCEPTED_FIELDS: Final = RECORD_FIELDS[: RECORD_FIELDS.index("state")]
"""What stands above `state` is settled when the message is accepted, and changes no more."""


def as_accepted(record: MessageRecord) -> MessageRecord:
    """The record as it was before anybody claimed it."""
    return MessageRecord(**{name: getattr(record, name) for name in _ACCEPTED_FIELDS})
