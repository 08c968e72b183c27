"""All injections of a worker."""

from __future__ import annotations

import asyncio
from random import Random
from typing import assert_never

from shared.settings.turn.chaos import ChaosSettings, InjectionKind
from shared.telemetry.logs import get_logger
from shared.telemetry.metrics import Metrics
from workers.providers.chaos.fault import FailingProvider
from workers.providers.chaos.injection import Injection
from workers.providers.chaos.latency import SlowedProvider
from workers.providers.chaos.outcome import LyingProvider
from workers.providers.provider import Provider
from workers.providers.walking.means import Sleep
from workers.providers.wire.timeouts import Timeouts


class Chaos:
    """Stands around providers, inside their breakers and limits, which must see the faults."""

    def __init__(
        self,
        settings: ChaosSettings,
        metrics: Metrics,
        *,
        random: Random | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        random = random or Random()
        self._injections = [
            Injection(each, metrics=metrics, random=random) for each in settings.injections
        ]
        self._sleep = sleep
        self._log = get_logger(__name__)

    def announce(self) -> None:
        """One warning for each injection, so that nobody takes staging for a bad day."""
        for injection in self._injections:
            each = injection.settings
            self._log.warning(
                "chaos_is_on",
                kind=each.kind,
                rate=each.rate,
                providers=each.providers or "all models",
                models=each.models or "all",
                tenants=each.tenants or "all",
                fix="set chaos.enabled = false where real callers are",
            )

    def around(self, provider: Provider, timeouts: Timeouts) -> Provider:
        """The provider with every injection around it, the first of the settings outermost."""
        for injection in reversed(self._injections):
            provider = self._disturbed(provider, injection, timeouts)
        return provider

    def _disturbed(self, provider: Provider, injection: Injection, timeouts: Timeouts) -> Provider:
        kind = injection.settings.kind
        match kind:
            case InjectionKind.LATENCY:
                return SlowedProvider(provider, injection, timeouts=timeouts, sleep=self._sleep)
            case InjectionKind.FAULT:
                return FailingProvider(provider, injection)
            case InjectionKind.OUTCOME:
                return LyingProvider(provider, injection)
            case _:
                assert_never(kind)
