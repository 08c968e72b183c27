"""Whether models answer: how the breakers of all models of the chain stand."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from redis.asyncio import Redis

from shared.breakers.fleet import breaker_names, read_named_breakers
from shared.breakers.reading import BreakerReading, BreakerState
from shared.settings.providers import ProviderSettings
from shared.settings.resilience import BreakerSettings
from shared.status.system_state import StateFinding, degraded


class ModelsThere:
    """Reads the breakers that the fleet shares; raises RedisUnavailable."""

    def __init__(
        self, redis: Redis, breakers: BreakerSettings, providers: Sequence[ProviderSettings]
    ) -> None:
        self._redis = redis
        self._breakers = breakers
        self._names = breaker_names(providers)
        self._has_others = any(not each.kind.is_model for each in providers)

    async def findings(self) -> list[StateFinding]:
        read = read_named_breakers(self._redis, self._breakers, self._names)
        stand = {name: each async for name, each in read}
        return list(breaker_findings(self._names, stand, has_others=self._has_others))


def breaker_findings(
    names: Collection[str], stand: Mapping[str, BreakerReading], *, has_others: bool
) -> Iterator[StateFinding]:
    """One for all where no model may be called, else one for each that may not.

    `has_others` says that rules or people stand behind them. A breaker of which nothing is kept is
    closed.
    """
    away = [each for each in names if _is_open(stand.get(each))]
    if away and len(away) == len(names):
        left = min(stand[each].seconds_left for each in away)
        who = "rules or people answer" if has_others else "nobody answers"
        yield degraded(
            "models",
            f"All model breakers are open: no retries are spent, and {who}. The "
            f"first one is tried again in {left:.0f} s. See: forebay providers",
        )
        return
    for each in away:
        yield degraded(
            f"model {each}",
            f"The breaker of {each} is open for {stand[each].seconds_left:.0f} s more: others of "
            "the chain answer. See: forebay providers",
        )


def _is_open(reading: BreakerReading | None) -> bool:
    return reading is not None and reading.state is BreakerState.OPEN
