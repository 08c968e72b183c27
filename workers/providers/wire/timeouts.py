"""How long each part of a provider's call may take, and the clock that watches it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from workers.providers.error_class import TimeoutPhase
from workers.providers.failures import (
    ProviderTimeoutError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Bounds of one call, in seconds. The time left of the turn bounds `total_seconds` further."""

    connect_seconds: float = 5.0
    first_token_seconds: float = 30.0
    """Until the first piece of text of the answer."""
    idle_seconds: float = 20.0
    """Between two pieces of text."""
    total_seconds: float = 120.0

    def bounded_by(self, time_left_seconds: float) -> Timeouts:
        return Timeouts(
            connect_seconds=self.connect_seconds,
            first_token_seconds=self.first_token_seconds,
            idle_seconds=self.idle_seconds,
            total_seconds=max(0.0, min(self.total_seconds, time_left_seconds)),
        )


class CallClock:
    """Watches the waits of one call; the time that the caller takes for itself is not idle time.

    A call is in the phase `first_token` until `hear_token`, then in `idle`, where each further
    `hear_token` starts the wait anew. The total runs through all phases.
    """

    def __init__(self, timeouts: Timeouts) -> None:
        now = asyncio.get_running_loop().time()
        self._timeouts = timeouts
        self._ends_at = now + timeouts.total_seconds
        self._phase = TimeoutPhase.FIRST_TOKEN
        self._phase_ends_at = now + timeouts.first_token_seconds

    @property
    def heard_token(self) -> bool:
        return self._phase is TimeoutPhase.IDLE

    def hear_token(self) -> None:
        """A piece of text has arrived and been dealt with: wait anew for the next one."""
        self._phase = TimeoutPhase.IDLE
        self._phase_ends_at = asyncio.get_running_loop().time() + self._timeouts.idle_seconds

    @asynccontextmanager
    async def watch(self) -> AsyncIterator[None]:
        """Bound one wait for the server; raises `ProviderTimeoutError` that names the phase."""
        limit = asyncio.timeout_at(min(self._phase_ends_at, self._ends_at))
        try:
            async with limit:
                yield
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise self._timed_out() from error

    def _timed_out(self) -> ProviderTimeoutError:
        phase = TimeoutPhase.TOTAL if self._ends_at <= self._phase_ends_at else self._phase
        return ProviderTimeoutError(
            f"the {phase} timeout ran out", phase=phase, after_first_token=self.heard_token
        )
