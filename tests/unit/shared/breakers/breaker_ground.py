"""A clock, a keeper that lives in this process and breakers that ask it."""

from __future__ import annotations

import pybreaker

from shared.breakers.breaker import Breaker
from shared.breakers.circuit import BreakerCircuit
from shared.breakers.reading import BreakerReading, CallOutcome
from shared.breakers.rules import LocalBreakers
from shared.clock import ManualClock
from shared.settings.resilience import BreakerSettings

NAME = "primary/small"


class CountingKeeper(LocalBreakers):
    """Says how often it was asked, and what."""

    def __init__(self, settings: BreakerSettings, clock: ManualClock) -> None:
        super().__init__(settings, clock)
        self.questions: list[str] = []

    async def report(
        self, name: str, *, outcomes: str = "", held: tuple[str, ...] = ()
    ) -> BreakerReading:
        self.questions.append(outcomes)
        return await super().report(name, outcomes=outcomes, held=held)


class Changes(pybreaker.CircuitBreakerListener):
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.seen: list[tuple[str | None, str]] = []

    def state_change(
        self,
        cb: pybreaker.CircuitBreaker,
        old_state: pybreaker.CircuitBreakerState | None,
        new_state: pybreaker.CircuitBreakerState,
    ) -> None:
        self.seen.append((old_state.name if old_state else None, new_state.name))


class Ground:
    """What a test of breakers stands on."""

    def __init__(self, settings: BreakerSettings | None = None) -> None:
        self.settings = settings or BreakerSettings()
        self.clock = ManualClock()
        self.keeper = CountingKeeper(self.settings, self.clock)
        self.changes = Changes()

    def breaker(self) -> Breaker:
        """As one process of the fleet has it; all share the keeper."""
        circuit = BreakerCircuit("primary", "small", listeners=[self.changes])
        return Breaker(
            circuit, self.keeper, self.clock, refresh_seconds=self.settings.refresh_seconds
        )


async def call(breaker: Breaker, outcome: CallOutcome) -> None:
    """One call that ends so."""
    await (await breaker.admit()).end(outcome)


async def fail(breaker: Breaker, times: int = 5) -> None:
    for _ in range(times):
        await call(breaker, CallOutcome.FAILURE)
