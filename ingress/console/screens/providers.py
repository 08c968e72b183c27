"""The chain of providers: how their breakers stand, and how they do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final, Literal

import msgspec
from redis.asyncio import Redis

from ingress.api.http.exchange import Exchange
from ingress.console.acts import read_act
from ingress.console.figures.provider_figures import ProviderFigures
from ingress.console.live.topic import Topic
from ingress.console.operation import ConsoleOperation
from ingress.console.recorded import RecordedActs
from shared.breakers.fleet import (
    breaker_names,
    kept_breakers,
    open_breaker,
    read_named_breakers,
    reset_breaker,
)
from shared.breakers.reading import BreakerReading, BreakerState
from shared.clock import Clock
from shared.errors import InvalidRequest
from shared.messages.tenant import KeyScope
from shared.sessions.console_user import ConsoleUser
from shared.settings.providers import ProviderSettings
from shared.settings.resilience import BreakerSettings

_LONGEST_SECONDS: Final = 86_400.0
_OTHERS_SECONDS: Final = 60.0
"""Between two searches for breakers that the settings do not name, which walk over all of Redis."""


class ProviderStanding(msgspec.Struct, frozen=True, kw_only=True):
    """A breaker with what it has counted lately; one that was never asked is closed.

    `seconds_left` is how long nobody will call it; `place` its place in the chain, None for what is
    no longer in the settings.
    """

    name: str
    kind: str | None
    place: int | None
    state: BreakerState = BreakerState.CLOSED
    seconds_left: int = 0
    calls: int = 0
    failures: int = 0


class BreakerAct(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Open a breaker for so long, or close it and forget what it has counted."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
    become: Literal["open", "closed"]
    seconds: Annotated[float, msgspec.Meta(ge=1, le=_LONGEST_SECONDS)] = 300.0


_read: Final = msgspec.json.Decoder(BreakerAct)


class ProvidersScreen:
    """Everything raises RedisUnavailable; what acts LedgerUnavailable as well."""

    def __init__(
        self,
        redis: Redis,
        settings: BreakerSettings,
        providers: Sequence[ProviderSettings],
        figures: ProviderFigures,
        acts: RecordedActs,
        clock: Clock,
    ) -> None:
        self._redis = redis
        self._settings = settings
        chain = [one for each in providers for one in each.each_deployment]
        self._chain = {each.name: (place, each.kind.value) for place, each in enumerate(chain)}
        self._named = breaker_names(providers)
        self._without_models = [each.name for each in chain if not each.named_models]
        self._others: tuple[float, list[str]] | None = None
        self._clock = clock
        self._figures = figures
        self._acts = acts

    def operations(self) -> Sequence[ConsoleOperation]:
        return (ConsoleOperation("POST", "/breakers", self._set, KeyScope.OPERATOR),)

    def topics(self) -> Sequence[Topic]:
        return (
            Topic("breakers", self._standings, seconds=1.0),
            Topic("provider_figures", self._figures.of_the_hour, seconds=10.0),
        )

    async def _standings(self) -> list[ProviderStanding]:
        names = dict.fromkeys((*self._named, *await self._kept_in_redis()))
        read = read_named_breakers(self._redis, self._settings, names)
        standings = [self._standing(name, each) async for name, each in read]
        asked = {name.partition("/")[0] for name in names}
        silent = [each for each in self._without_models if each not in asked]
        standings += [self._standing(name, None) for name in silent]
        return sorted(standings, key=lambda each: (each.place is None, each.place or 0, each.name))

    async def _kept_in_redis(self) -> list[str]:
        now = self._clock.monotonic()
        if self._others is None or now - self._others[0] >= _OTHERS_SECONDS:
            self._others = now, await kept_breakers(self._redis)
        return self._others[1]

    def _standing(self, name: str, reading: BreakerReading | None) -> ProviderStanding:
        place, kind = self._chain.get(name.partition("/")[0], (None, None))
        if reading is None:
            return ProviderStanding(name=name, kind=kind, place=place)
        return ProviderStanding(
            name=name,
            kind=kind,
            place=place,
            state=reading.state,
            seconds_left=round(reading.seconds_left),
            calls=reading.calls,
            failures=reading.failures,
        )

    async def _set(self, exchange: Exchange, user: ConsoleUser) -> None:
        asked = await read_act(exchange, _read)
        provider, _, model = asked.name.partition("/")
        if provider not in self._chain or not model:
            raise InvalidRequest(
                "'name' is no breaker of this chain. Give the provider's name, a slash and the "
                "model's, as the list has it.",
                param="name",
            )
        if asked.become == "closed":
            async with self._acts.doing(user, "breakers.reset", asked.name):
                await reset_breaker(self._redis, asked.name)
            return
        seconds = asked.seconds
        async with self._acts.doing(user, "breakers.open", asked.name, {"seconds": seconds}):
            await open_breaker(self._redis, self._settings, asked.name, seconds=seconds)
        self._others = None  # it may be one that the settings do not name
