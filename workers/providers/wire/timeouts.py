"""How long each part of a provider's call may take, and the clock that watches it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TypeVar

from shared.settings.providers import ProviderSettings
from workers.providers.error_class import TimeoutPhase
from workers.providers.failures import ProviderTimeoutError

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Bounds of one call, in seconds. The time left of the turn bounds `total_seconds` further."""

    connect_seconds: float = 5.0
    first_token_seconds: float = 30.0
    """Until the first piece of text of the answer."""
    idle_seconds: float = 20.0
    """Between two pieces of text."""
    last_words_seconds: float = 2.0
    """For what may follow once the model has said why it stopped: figures, and the end."""
    total_seconds: float = 120.0

    @classmethod
    def of(cls, settings: ProviderSettings) -> Timeouts:
        """The bounds that the settings name."""
        return cls(
            connect_seconds=settings.connect_timeout_seconds,
            first_token_seconds=settings.first_token_timeout_seconds,
            idle_seconds=settings.idle_timeout_seconds,
            total_seconds=settings.total_timeout_seconds,
        )

    def bounded_by(self, time_left_seconds: float) -> Timeouts:
        return Timeouts(
            connect_seconds=self.connect_seconds,
            first_token_seconds=self.first_token_seconds,
            idle_seconds=self.idle_seconds,
            last_words_seconds=self.last_words_seconds,
            total_seconds=max(0.0, min(self.total_seconds, time_left_seconds)),
        )


class CallClock:
    """Watches the waits of one call; the time that the caller takes for itself is not idle time.

    A call is in the phase `first_token` until `hear_token`, then in `idle`, where each further
    `hear_token` starts the wait anew. The total runs through all phases. One timer serves the whole
    call, for a stream has hundreds of waits; `close` ends it.
    """

    def __init__(self, timeouts: Timeouts) -> None:
        self._loop = asyncio.get_running_loop()
        now = self._loop.time()
        self._timeouts = timeouts
        self._ends_at = now + timeouts.total_seconds
        self._phase = TimeoutPhase.FIRST_TOKEN
        self._phase_ends_at = now + timeouts.first_token_seconds
        self._timer: asyncio.TimerHandle | None = None
        self._waiting: asyncio.Task[object] | None = None
        self._has_rung = False

    @property
    def heard_token(self) -> bool:
        return self._phase is TimeoutPhase.IDLE

    def hear_token(self) -> None:
        """A piece of text has arrived and been dealt with: wait anew for the next one."""
        if self._phase is not TimeoutPhase.IDLE:
            self._phase = TimeoutPhase.IDLE
            # What is left of the first wait may be longer than an idle one.
            self.close()
        self._phase_ends_at = self._loop.time() + self._timeouts.idle_seconds

    def hear_last_token(self) -> None:
        """The answer is whole: what may still follow comes soon or is not needed."""
        self.close()
        ends_at = self._loop.time() + self._timeouts.last_words_seconds
        self._phase_ends_at = min(self._phase_ends_at, ends_at)

    async def wait(self, arrival: Awaitable[T]) -> T:
        """Bound one wait for the server; raises `ProviderTimeoutError` that names the phase."""
        task = self._waiting = asyncio.current_task()
        if task is None:
            raise RuntimeError("a call is made in a task")
        if self._timer is None:
            self._timer = self._loop.call_at(self._limit, self._ring)
        cancels = task.cancelling()
        try:
            return await arrival
        except asyncio.CancelledError as cancelled:
            if self._has_rung and task.cancelling() <= cancels + 1:
                raise self._timed_out() from cancelled
            raise
        finally:
            self._waiting = None
            if self._has_rung:
                self._has_rung = False
                task.uncancel()

    def close(self) -> None:
        """Nothing is waited for any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    @property
    def _limit(self) -> float:
        return min(self._phase_ends_at, self._ends_at)

    def _ring(self) -> None:
        self._timer = None
        if self._waiting is None:
            return
        if self._loop.time() < self._limit:
            self._timer = self._loop.call_at(self._limit, self._ring)
        else:
            self._has_rung = True
            self._waiting.cancel()

    def _timed_out(self) -> ProviderTimeoutError:
        phase = TimeoutPhase.TOTAL if self._ends_at <= self._phase_ends_at else self._phase
        return ProviderTimeoutError(
            f"the {phase} timeout ran out", phase=phase, after_first_token=self.heard_token
        )
