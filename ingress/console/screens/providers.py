"""The chain of providers, and how their breakers stand."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from redis.asyncio import Redis

from ingress.console.live.topic import Topic
from ingress.console.operation import ConsoleOperation
from shared.breakers.fleet import read_breakers
from shared.breakers.reading import BreakerState
from shared.settings.providers import ProviderSettings
from shared.settings.resilience import BreakerSettings


class ProviderStanding(msgspec.Struct, frozen=True):
    """A breaker with what it has counted lately; one that was never asked is closed.

    `seconds_left` is how long nobody will call it; `place` its place in the chain, None for what is
    no longer in the settings.
    """

    name: str
    provider: str
    kind: str | None
    place: int | None
    state: BreakerState = BreakerState.CLOSED
    seconds_left: int = 0
    calls: int = 0
    failures: int = 0


class ProvidersScreen:
    """Everything raises RedisUnavailable."""

    def __init__(
        self, redis: Redis, settings: BreakerSettings, providers: Sequence[ProviderSettings]
    ) -> None:
        self._redis = redis
        self._settings = settings
        self._providers = [one for each in providers for one in each.each_deployment]

    def operations(self) -> Sequence[ConsoleOperation]:
        return ()

    def topics(self) -> Sequence[Topic]:
        return (Topic("providers", self._standings, seconds=1.0),)

    async def _standings(self) -> list[ProviderStanding]:
        readings = dict([each async for each in read_breakers(self._redis, self._settings)])
        places = {each.name: (place, each) for place, each in enumerate(self._providers)}
        asked = {name.partition("/")[0] for name in readings}
        silent = [name for name in places if name not in asked]
        standings = [
            ProviderStanding(
                name,
                provider := name.partition("/")[0],
                places[provider][1].kind.value if provider in places else None,
                places[provider][0] if provider in places else None,
                *(
                    (each.state, round(each.seconds_left), each.calls, each.failures)
                    if (each := readings.get(name)) is not None
                    else ()
                ),
            )
            for name in (*readings, *silent)
        ]
        return sorted(standings, key=lambda each: (each.place is None, each.place or 0, each.name))
