"""A message as the ledger keeps it: one row, from acceptance to its last state."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

import msgspec

from shared.messages.lane import Lane
from shared.messages.state import ResponseState

_Upto32 = Annotated[str, msgspec.Meta(max_length=32)]
_Upto64 = Annotated[str, msgspec.Meta(max_length=64)]
_Upto128 = Annotated[str, msgspec.Meta(max_length=128)]
_Upto255 = Annotated[str, msgspec.Meta(max_length=255)]


class Surface(StrEnum):
    """The door a message came through; the body's shape is the same behind all of them."""

    RESPONSES = "responses"
    CHAT = "chat"
    MESSAGES = "messages"
    INTAKE = "intake"


class ReplyShape(StrEnum):
    """How an answer is sent to a queue."""

    PLAIN = "plain"
    CELERY = "celery"


class TurnEnding(msgspec.Struct, frozen=True, kw_only=True):
    """How a message stands, and what its last turn left: all that the end of a turn writes.

    `cost` is what the turn's attempts cost; None when one of them is unknown.
    """

    state: ResponseState = ResponseState.QUEUED
    finished_at: datetime | None = None
    output_text: str | None = None
    output_items: str | None = None
    """What the answer has beside its text, as JSON: thoughts, and calls of tools."""
    answered_by: _Upto64 | None = None
    model: _Upto128 | None = None
    input_tokens: int | None = None
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    """A part of the output tokens; those of the cache are parts of the input's."""
    cost: Decimal | None = None
    saved: Decimal | None = None
    """What a stored answer had cost when a provider gave it, 0 where that is not known; None where
    none was given."""
    report: str | None = None
    variant: _Upto64 | None = None
    """The variant of the settings under which it was answered."""
    incomplete_reason: _Upto32 | None = None
    error_code: _Upto64 | None = None
    error_message: str | None = None


class AfterAcceptance(TurnEnding, frozen=True, kw_only=True):
    """What changes of a message after it was accepted.

    `attempt` counts claims and is the fence: a write that names an older attempt changes nothing.
    """

    attempt: int = 0
    not_before: datetime | None = None
    claimed_at: datetime | None = None
    claimed_by: _Upto128 | None = None
    """The worker process that claimed it last, which listens under this name."""
    released_at: datetime | None = None
    """When the dispatcher let a message that it held go to the workers; one that gave way to others
    is held anew."""
    erased_at: datetime | None = None
    """When all that was said was taken out of it: what is left tells what was spent."""


class MessageRecord(AfterAcceptance, frozen=True, kw_only=True):
    """One row of the ledger: the table's columns, and what reads and writes them, follow these.

    `body` is the JSON of a Body as it was committed.
    """

    id: _Upto64
    tenant_id: _Upto64
    lane: Lane
    body: str
    accepted_at: datetime
    deadline: datetime
    surface: Surface = Surface.RESPONSES
    user_id: _Upto128 | None = None
    conversation_id: _Upto128 | None = None
    previous_id: _Upto128 | None = None
    idempotency_key: _Upto255 | None = None
    body_digest: _Upto64 = ""
    estimated_tokens: int = 0
    traceparent: _Upto64 | None = None
    reply_to: _Upto255 | None = None
    reply_correlation: _Upto255 | None = None
    reply_shape: ReplyShape | None = None
    store: bool | None = None
    """False where nothing is kept once its answer was fetched, or its time is up."""
    held_at: datetime | None = None
    """When it was accepted to wait for the dispatcher; None where the door published it itself."""


RECORD_FIELDS: tuple[str, ...] = MessageRecord.__struct_fields__
SETTLED_FIELDS: tuple[str, ...] = TurnEnding.__struct_fields__
"""What a settlement changes in its message's record."""
ACCEPTED_FIELDS: tuple[str, ...] = tuple(
    name for name in RECORD_FIELDS if name not in AfterAcceptance.__struct_fields__
)
"""What is settled when a message is accepted, and changes no more."""


def as_accepted(record: MessageRecord) -> MessageRecord:
    """The record as it was before anybody claimed it."""
    return MessageRecord(**{name: getattr(record, name) for name in ACCEPTED_FIELDS})
