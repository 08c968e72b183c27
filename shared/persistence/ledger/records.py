"""What goes into the ledger and what it tells about itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from shared.messages.dead_letter import DeadReason
from shared.messages.lane import Lane
from shared.messages.record import MessageRecord, TurnEnding
from shared.messages.state import ResponseState


@dataclass(frozen=True, slots=True)
class Accepted:
    """The message is on disk."""

    record: MessageRecord


@dataclass(frozen=True, slots=True)
class AlreadyAccepted:
    """The tenant used this idempotency key before, for the same body or for another."""

    message_id: str
    same_body: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRecord:
    """One call of one provider. Tokens and cost are None where they are not known.

    `is_estimated` says that the provider named no figures and these were counted from the text.
    """

    provider: str
    model: str
    started_at: datetime
    latency_seconds: float
    error_class: str | None = None
    detail: str | None = None
    input_tokens: int | None = None
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    is_estimated: bool = False
    cost: Decimal | None = None


class Settlement(TurnEnding, frozen=True, kw_only=True):
    """How a turn ended, to be written once, under the fence `attempt`.

    `dead_reason` adds the dead letter that every failed message has; `handoff_reason` adds the
    row in the inbox that every message in `requires_action` has.
    """

    state: ResponseState
    finished_at: datetime
    message_id: str
    tenant_id: str
    attempt: int
    attempts: tuple[AttemptRecord, ...] = ()
    lane: Lane | None = None
    user_id: str | None = None
    dead_reason: DeadReason | None = None
    handoff_reason: str | None = None
