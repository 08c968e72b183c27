"""All breakers of one process."""

from __future__ import annotations

import asyncio

from shared.breakers.breaker import Breaker
from shared.breakers.circuit import BreakerCircuit
from shared.breakers.journal import BreakerJournal
from shared.breakers.reading import BreakerKeeper, BreakerState
from shared.clock import Clock
from shared.settings.resilience import BreakerSettings
from shared.telemetry.metrics import Metrics


class BreakerBoard:
    """One breaker for each provider and model, made when it is first asked for."""

    def __init__(
        self, keeper: BreakerKeeper, settings: BreakerSettings, *, metrics: Metrics, clock: Clock
    ) -> None:
        self._keeper = keeper
        self._settings = settings
        self._journal = BreakerJournal(metrics)
        self._clock = clock
        self._breakers: dict[tuple[str, str], Breaker] = {}

    def breaker(self, provider: str, model: str) -> Breaker:
        """The breaker in front of that model of that provider."""
        breaker = self._breakers.get((provider, model))
        if breaker is None:
            breaker = self._breakers[provider, model] = self._new(provider, model)
        return breaker

    async def refresh(self) -> None:
        """Bring every breaker's local copy up to date and keep its probes leased.

        To be done every `refresh_seconds`; together they are one round trip.
        """
        await asyncio.gather(*(breaker.refresh() for breaker in self._breakers.values()))

    async def close(self) -> None:
        """Tell what has not been told yet and give every probe back."""
        await asyncio.gather(*(breaker.close() for breaker in self._breakers.values()))

    def _new(self, provider: str, model: str) -> Breaker:
        circuit = BreakerCircuit(provider, model, listeners=[self._journal])
        self._journal.show(circuit, BreakerState.CLOSED)
        refresh_seconds = self._settings.refresh_seconds
        return Breaker(circuit, self._keeper, self._clock, refresh_seconds=refresh_seconds)
