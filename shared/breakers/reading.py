"""How a breaker stands, as its keeper says: pybreaker's states, and the numbers behind them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import pybreaker


class BreakerState(StrEnum):
    """pybreaker's names, so that its listeners and storages understand them."""

    CLOSED = pybreaker.STATE_CLOSED
    """Everybody calls."""
    OPEN = pybreaker.STATE_OPEN
    """Nobody calls."""
    HALF_OPEN = pybreaker.STATE_HALF_OPEN
    """A few probe whether the provider is back."""


class CallOutcome(StrEnum):
    """What a call says of the provider's health."""

    SUCCESS = "success"
    FAILURE = "failure"
    NEUTRAL = "neutral"
    """Nothing: a rate limit, a refused request, a call that was cancelled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerReading:
    """One breaker at one moment."""

    state: BreakerState
    seconds_left: float = 0.0
    """Until an open breaker lets probes through."""
    free_probes: int = 0
    """Places for probes that nobody holds; only half-open has any."""
    granted: bool = False
    """Whether the probe that was asked for may go."""
    changed: bool = False
    """Whether this very question changed the state, so that one of the fleet says so, and once."""
    calls: int = 0
    """Calls in the window."""
    failures: int = 0
    """Failed ones among them."""


class BreakerKeeper(Protocol):
    """Who counts the outcomes and decides: Redis for the fleet, or this process for itself.

    `outcomes` holds one letter for each call that ended, oldest first: `s` or `f`.
    """

    async def report(
        self, name: str, *, outcomes: str = "", held: tuple[str, ...] = ()
    ) -> BreakerReading:
        """Count outcomes, keep the leases of the probes `held`, and say how the breaker stands."""

    async def begin_probe(self, name: str, permit: str) -> BreakerReading:
        """Ask for a probe's place in the name of `permit`; the reading says if it is granted."""

    async def end_probe(self, name: str, permit: str, outcome: CallOutcome) -> BreakerReading:
        """Give the place back. A permit whose lease has run out changes nothing."""
