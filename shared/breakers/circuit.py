"""A breaker as pybreaker's listeners know it: its states are followed here, never decided.

`call()`, `calling()` and the decorator are not for us: they hold a lock for as long as the call
runs, take a cancelled call for a failed one, and let everybody through when half-open.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NoReturn

import pybreaker

from shared.breakers.reading import BreakerReading, BreakerState


class _Copy(pybreaker.CircuitBreakerStorage):
    """What was last heard of the breaker."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.reading = BreakerReading(state=BreakerState.CLOSED)

    @property
    def state(self) -> str:
        return self.reading.state

    @state.setter
    def state(self, state: str) -> None:
        """Its keeper decides; nobody else."""

    @property
    def counter(self) -> int:
        return self.reading.failures

    @property
    def success_counter(self) -> int:
        return 0

    @property
    def opened_at(self) -> datetime | None:
        return None

    @opened_at.setter
    def opened_at(self, opened_at: datetime) -> None:
        """Its keeper knows; nobody asks here."""


class BreakerCircuit(pybreaker.CircuitBreaker):
    """What a listener is handed: which breaker it is, and whether it was this process's doing."""

    def __init__(
        self, provider: str, model: str, *, listeners: Sequence[pybreaker.CircuitBreakerListener]
    ) -> None:
        self._copy = _Copy(f"{provider}/{model}")
        super().__init__(name=self._copy.name, state_storage=self._copy, listeners=tuple(listeners))
        self.provider = provider
        self.model = model
        self.was_changed_here = False

    def follow(self, reading: BreakerReading) -> None:
        """Take over what was heard, and tell the listeners of a change."""
        before, self._copy.reading = self._copy.reading.state, reading
        if reading.state is not before:
            self.was_changed_here = reading.changed
            self.state = reading.state

    def call(self, *_: object, **__: object) -> NoReturn:
        """Refused; see the head of this file."""
        raise TypeError("Ask shared.breakers.breaker.Breaker for a permit instead.")
