"""One bar of a message's waterfall."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from shared.messages.record import MessageRecord


class StretchKind(StrEnum):
    """What a message was doing."""

    HELD = "held"
    """It waited for the dispatcher to let it go: its lane or its tenant had no room."""
    PARKED = "parked"
    """A part of being held: no model would have answered it."""
    QUEUED = "queued"
    """It waited for a worker."""
    TURN = "turn"
    """A worker had it."""
    ATTEMPT = "attempt"
    """A provider was called."""
    STEPS = "steps"
    """Our own work, before, between or behind the calls of a turn."""
    PERSON = "person"
    """It waited for a person."""


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """`end` is None while it lasts; seconds count from acceptance.

    `ordinal` names the attempt that it is; `failed` says that what was done came to nothing;
    `reason` is why it waited, a sentence, where that was kept.
    """

    kind: StretchKind
    label: str
    start: float
    end: float | None
    claim: int | None = None
    ordinal: int | None = None
    failed: bool = False
    reason: str | None = None


def stretch(
    record: MessageRecord,
    kind: StretchKind,
    label: str,
    since: datetime,
    until: datetime | None,
    *,
    claim: int | None = None,
    reason: str | None = None,
) -> Stretch:
    """Between two times of the message; one that would end before it began has no length."""
    start = max(0.0, (since - record.accepted_at).total_seconds())
    end = None if until is None else max(start, (until - record.accepted_at).total_seconds())
    return Stretch(kind=kind, label=label, start=start, end=end, claim=claim, reason=reason or None)
