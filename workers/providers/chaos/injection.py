"""Which calls one injection strikes."""

from __future__ import annotations

from random import Random

from shared.settings.deployment import provider_of
from shared.settings.turn.chaos import InjectionSettings
from shared.telemetry.metrics import Metrics
from workers.providers.provider import Prompt, Provider


class Injection:
    """Throws the dice for each call within its reach, and counts every hit."""

    def __init__(self, settings: InjectionSettings, *, metrics: Metrics, random: Random) -> None:
        self.settings = settings
        self._metrics = metrics
        self._random = random

    def strikes(self, provider: Provider, prompt: Prompt) -> bool:
        """Whether this call is struck."""
        if not self._reaches(provider, prompt) or self._random.random() >= self.settings.rate:
            return False
        self._metrics.chaos_injections.labels(provider.name, self.settings.kind).inc()
        return True

    def _reaches(self, provider: Provider, prompt: Prompt) -> bool:
        reach = self.settings
        names = {provider.name, provider_of(provider.name)}
        return (
            (not reach.providers or not names.isdisjoint(reach.providers))
            and (not reach.models or provider.model_for(prompt.model) in reach.models)
            and (not reach.tenants or prompt.tenant in reach.tenants)
        )


class DisturbedProvider:
    """A provider that is itself wherever it is not disturbed."""

    def __init__(self, provider: Provider, injection: Injection) -> None:
        self.name = provider.name
        self._provider = provider
        self._injection = injection

    def model_for(self, requested: str) -> str:
        return self._provider.model_for(requested)

    async def close(self) -> None:
        await self._provider.close()

    def _is_struck(self, prompt: Prompt) -> bool:
        return self._injection.strikes(self._provider, prompt)
