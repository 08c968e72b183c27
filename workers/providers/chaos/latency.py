"""Chaos: a call that waits before it is made."""

from __future__ import annotations

from workers.providers.chaos.injection import DisturbedProvider, Injection
from workers.providers.error_class import TimeoutPhase
from workers.providers.failures import ProviderTimeoutError
from workers.providers.outcome import Outcome
from workers.providers.provider import Prompt, Provider, Sink
from workers.providers.walking.means import Sleep
from workers.providers.wire.timeouts import Timeouts


class SlowedProvider(DisturbedProvider):
    """Adds seconds to a call; past the provider's own timeouts it is one that timed out."""

    def __init__(
        self, provider: Provider, injection: Injection, *, timeouts: Timeouts, sleep: Sleep
    ) -> None:
        super().__init__(provider, injection)
        self._seconds = injection.settings.seconds or 0.0
        self._timeouts = timeouts
        self._sleep = sleep

    async def answer(
        self, prompt: Prompt, *, time_left_seconds: float, on_delta: Sink | None = None
    ) -> Outcome:
        if self._is_struck(prompt):
            await self._wait(time_left_seconds)
            time_left_seconds -= self._seconds
        return await self._provider.answer(
            prompt, time_left_seconds=time_left_seconds, on_delta=on_delta
        )

    async def _wait(self, time_left_seconds: float) -> None:
        limit = max(0.0, min(self._timeouts.total_seconds, time_left_seconds))
        phase = TimeoutPhase.TOTAL
        if self._timeouts.first_token_seconds < limit:
            limit, phase = self._timeouts.first_token_seconds, TimeoutPhase.FIRST_TOKEN
        await self._sleep(min(self._seconds, limit))
        if self._seconds >= limit:
            raise ProviderTimeoutError(f"chaos: the {phase} timeout ran out", phase=phase)
