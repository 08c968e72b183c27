"""What one transaction appended: ends and attempts as the ledger told them, or sums ready made."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import msgspec


class TurnFact(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A message that has ended. Times are in milliseconds, money in billionths of a dollar."""

    tenant_id: str
    model: str | None
    lane: str
    state: str
    worker: str | None
    answered_by: str | None
    ended_ms: int
    wait_ms: int | None
    """From acceptance until it was claimed last; None where nobody claimed it."""
    latency_ms: int
    in_deadline: int
    input_tokens: int | None
    cached_tokens: int | None
    output_tokens: int | None
    cost_nanos: int | None
    saved_nanos: int | None
    """Not None where a stored answer was given."""
    variant: str | None = None
    times: int = 1
    """How often it counts: -1 takes back what was told of it before something was added to it."""


class AttemptFact(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A call of a provider that was booked."""

    tenant_id: str | None
    provider: str
    model: str
    lane: str | None
    error_class: str | None
    booked_ms: int
    latency_ms: int
    input_tokens: int | None
    cached_tokens: int | None
    cache_write_tokens: int | None
    output_tokens: int | None
    reasoning_tokens: int | None
    cost_nanos: int | None
    is_estimated: int | None
    variant: str | None = None


class Addition(msgspec.Struct, frozen=True, omit_defaults=True):
    """Sums that are added as they are, to the row of these names in that cube.

    `seconds` names the one resolution that they are for; without, they are for all.
    """

    cube: str
    starts: int
    """In seconds since 1970."""
    tenant_id: str
    names: tuple[str, ...]
    sums: dict[str, int]
    seconds: int | None = None


class Delta(msgspec.Struct, frozen=True, omit_defaults=True):
    """One row of `rollup_delta`."""

    turns: tuple[TurnFact, ...] = ()
    attempts: tuple[AttemptFact, ...] = ()
    additions: tuple[Addition, ...] = ()


_decoder: Final = msgspec.json.Decoder(Delta)


def latest_of(delta: Delta) -> datetime | None:
    """When the last of what it tells of happened; None where it tells of nothing."""
    milliseconds = [
        *(turn.ended_ms for turn in delta.turns),
        *(attempt.booked_ms for attempt in delta.attempts),
        *(addition.starts * 1000 for addition in delta.additions),
    ]
    return datetime.fromtimestamp(max(milliseconds) / 1000, UTC) if milliseconds else None


def encode_delta(delta: Delta) -> str:
    """As the row keeps it."""
    return msgspec.json.encode(delta).decode()


def decode_delta(figures: str) -> Delta:
    """From the row; raises msgspec.DecodeError."""
    return _decoder.decode(figures)
