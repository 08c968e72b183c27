"""A message that was accepted and waits for its release."""

from __future__ import annotations

from dataclasses import dataclass

from shared.messages.lane import Lane


@dataclass(frozen=True, slots=True)
class HeldMessage:
    """What is known of it before it runs.

    Times are seconds of one clock. `units` is what it is expected to cost, in tokens of uncached
    input: `uncached_in + .1 cached_in + 4 out`; it need not be right, only not wrong on average.
    """

    id: str
    lane: Lane
    tenant: str
    accepted_at: float
    deadline: float
    units: float
    claims: int = 0
    """How often a worker had it."""
