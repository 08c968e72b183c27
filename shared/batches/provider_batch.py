"""A provider's batch as it is on record, and the statements about it and what it holds."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import (
    Integer,
    Row,
    Update,
    bindparam,
    case,
    delete,
    func,
    null,
    select,
    text,
    update,
)

from shared.batches.provider_tables import NOT_ENDED, HandedOverState, provider_batch
from shared.messages.lane import Lane
from shared.messages.state import ResponseState
from shared.persistence.ledger.wait_notes import WaitCause, WaitNote, noted
from shared.persistence.message_conditions import HELD, for_sweep
from shared.persistence.tables import message

MOST_CLAIMS: Final = 2
"""A message that was claimed so often is asked by a call of its own."""


class ProviderBatch(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the table."""

    id: str
    provider: str
    model: str = ""
    state: HandedOverState = HandedOverState.PACKED
    remote_id: str | None = None
    requests: int = 0
    tokens: int = 0
    created_at: datetime
    submitted_at: datetime | None = None
    ended_at: datetime | None = None
    pull_at: datetime
    look_at: datetime
    looks: int = 0
    reason: str | None = None


class WaitingMessage(msgspec.Struct, frozen=True):
    """What is known of a queued message before it is claimed."""

    id: str
    accepted_at: datetime
    deadline: datetime
    estimated_tokens: int


_LEFT: Final = "The provider's batch that it was in gave it back without an answer."
_LIMIT: Final = bindparam("limit", type_=Integer)
_NOT_ENDED: Final = text(NOT_ENDED)
WAITING: Final = (
    select(message.c.id, message.c.accepted_at, message.c.deadline, message.c.estimated_tokens)
    .where(
        text(for_sweep(ResponseState.QUEUED, "waiting")),
        message.c.lane == Lane.BATCH,
        message.c.attempt < MOST_CLAIMS,
        message.c.not_before.is_(None),
        message.c.deadline > bindparam("after"),
    )
    .order_by(message.c.accepted_at)
    .limit(_LIMIT)
)
DUE: Final = (
    select(provider_batch)
    .where(_NOT_ENDED, provider_batch.c.look_at <= bindparam("now"))
    .order_by(provider_batch.c.look_at)
    .limit(_LIMIT)
)
ENQUEUED: Final = select(func.sum(provider_batch.c.tokens)).where(
    _NOT_ENDED, provider_batch.c.provider == bindparam("provider")
)
TOOK: Final = (
    select(provider_batch.c.requests, provider_batch.c.submitted_at, provider_batch.c.ended_at)
    .where(
        text("state = 'ended'"),
        provider_batch.c.provider == bindparam("provider"),
        provider_batch.c.reason.is_(None),
        provider_batch.c.submitted_at.is_not(None),
    )
    .order_by(provider_batch.c.ended_at.desc())
    .limit(_LIMIT)
)
HOLDS: Final = (
    select(message.c.id).where(text(HELD), message.c.claimed_by == bindparam("batch")).limit(1)
)
FORGET: Final = delete(provider_batch).where(
    text("state = 'ended'"), provider_batch.c.ended_at < bindparam("before")
)


def queued_again(batch_id: str, *, now: datetime, is_urgent: bool) -> Update:
    """What a batch holds waits again: published at once where it is urgent, else as before."""
    is_held = message.c.held_at.is_not(None)
    released = case((is_held, now), else_=null()) if is_urgent else null()
    return held_by(batch_id).values(
        state=ResponseState.QUEUED,
        not_before=None,
        wake_at=now if is_urgent else case((is_held, null()), else_=now),
        wakes=0,
        released_at=released,
        # The dispatcher looks for what was held since its last look.
        held_at=case((is_held, now), else_=null()),
        **noted(WaitNote(cause=WaitCause.LEFT_BATCH, since=now, why=_LEFT)),
    )


def held_by(batch_id: str) -> Update:
    """Whatever a batch holds."""
    return update(message).where(text(HELD), message.c.claimed_by == batch_id)


def batch_of_row(row: Row[Any]) -> ProviderBatch:
    """The batch of a row of the whole table."""
    return ProviderBatch(**dict(row._mapping))
