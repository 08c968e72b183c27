"""What goes into the ledger and what it tells about itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

import msgspec

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


class AttemptRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One call of one provider, or of one of its deployments. Tokens and cost are None where they
    are not known.

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
    deployment: str | None = None

    @property
    def units(self) -> float:
        """What it cost, in tokens of uncached input; 0 of one whose tokens are not known."""
        read, cached = self.input_tokens or 0, self.cached_tokens or 0
        return read - _OF_CACHED * cached + _OF_OUTPUT * (self.output_tokens or 0)


class TurnTab:
    """What a turn was charged while it ran, of a message that a dispatcher released.

    `began` is of its event loop's clock. Once it is closed the rest is charged with its end.
    """

    __slots__ = ("began", "charged", "is_closed", "record", "times")

    def __init__(self, record: MessageRecord) -> None:
        self.record = record
        self.began: float | None = None
        self.charged = 0.0
        self.times = 0
        self.is_closed = False


_OF_CACHED: Final = 0.9
"""So much less than others the tokens cost that a provider has read before."""
_OF_OUTPUT: Final = 4


class Settlement(TurnEnding, frozen=True, kw_only=True):
    """How a turn ended, to be written once, under the fence `attempt`.

    `dead_reason` adds the dead letter that every failed message has; `handoff_reason` adds the
    row in the inbox that every message in `requires_action` has; `units` charges its flow.
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
    claimed: MessageRecord | None = None
    """The message as it was claimed under `attempt`; looked up where it is not told."""
    units: float | None = None
    """What the turn used and its flow was not charged yet; None where no dispatcher counts it."""
