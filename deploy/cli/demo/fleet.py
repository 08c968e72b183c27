"""What all workers of the stack know together of its providers."""

from __future__ import annotations

from collections.abc import AsyncIterator

from redis.asyncio import Redis

from shared.breakers.fleet import read_breakers, reset_breaker
from shared.breakers.reading import BreakerReading, BreakerState
from shared.dispatch.credit import CREDIT_KEY
from shared.settings.resilience import BreakerSettings

_CLOSED = BreakerReading(state=BreakerState.CLOSED)


class Fleet:
    """Looks at the breakers as `forebay breakers` does; raises RedisUnavailable."""

    def __init__(self, redis: Redis, settings: BreakerSettings) -> None:
        self._redis = redis
        self.settings = settings

    async def breaker(self, name: str) -> BreakerReading:
        """How the breaker of that provider and model, `provider/model`, stands now."""
        readings = {name: reading async for name, reading in self._readings()}
        return readings.get(name, _CLOSED)

    async def is_dispatched(self) -> bool:
        """Whether a worker leads the dispatch."""
        return bool(await self._redis.exists(CREDIT_KEY))

    async def close_breakers(self) -> None:
        """As `forebay breakers reset` does, all of them; a worker knows within its refresh."""
        for name in [name async for name, _ in self._readings()]:
            await reset_breaker(self._redis, name)

    def _readings(self) -> AsyncIterator[tuple[str, BreakerReading]]:
        return read_breakers(self._redis, self.settings)
