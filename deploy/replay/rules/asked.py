"""What a door asks of one message, and what it is told."""

from __future__ import annotations

from typing import NamedTuple

Levels = tuple[float, float, float, float]


class Asked(NamedTuple):
    """What a door asks of one message; money in billionths of a dollar, None where nothing caps
    it."""

    tenant: str
    user: str | None
    message_id: str
    digest: bytes
    tokens: float
    lease: float
    expected_wait: float
    seconds_left: float
    cap: int | None = None
    price: int = 0


class DoorReply(NamedTuple):
    """The script's reply; `refused_by` is 0 where it was let in, else the place of its limit."""

    refused_by: int
    wait: float
    risk: float
    p90: float
    levels: Levels
    counts: list[float] | None = None


class SettledUsage(NamedTuple):
    """How a message ended: tokens beyond its estimate, those of its answer where they teach
    something, and its cost, None where that is unknown."""

    more_tokens: float
    output_tokens: float | None
    cost: int | None
