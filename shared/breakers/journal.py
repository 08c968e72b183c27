"""What is told of a breaker's changes: a line in the log, a gauge, a count."""

from __future__ import annotations

from typing import Final

import pybreaker

from shared.breakers.circuit import BreakerCircuit
from shared.breakers.reading import BreakerState
from shared.telemetry.logs import get_logger
from shared.telemetry.metrics import Metrics

_LEVEL: Final = {BreakerState.CLOSED: 0, BreakerState.HALF_OPEN: 1, BreakerState.OPEN: 2}


class BreakerJournal(pybreaker.CircuitBreakerListener):
    """Every process shows the state it acts by; a change is logged and counted by one of them."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._log = get_logger(__name__)

    def state_change(
        self,
        cb: pybreaker.CircuitBreaker,
        old_state: pybreaker.CircuitBreakerState | None,
        new_state: pybreaker.CircuitBreakerState,
    ) -> None:
        if not isinstance(cb, BreakerCircuit):
            return
        state = BreakerState(new_state.name)
        self.show(cb, state)
        if not cb.was_changed_here:
            return
        self._metrics.breaker_transitions.labels(cb.provider, cb.model, state).inc()
        log = self._log.info if state is BreakerState.CLOSED else self._log.warning
        before = old_state.name if old_state else None
        log("breaker_changed", provider=cb.provider, model=cb.model, state=state, before=before)

    def show(self, circuit: BreakerCircuit, state: BreakerState) -> None:
        """Set the gauge: 0 closed, 1 half-open, 2 open."""
        gauge = self._metrics.breaker_state.labels(circuit.provider, circuit.model)
        gauge.set(_LEVEL[state])
