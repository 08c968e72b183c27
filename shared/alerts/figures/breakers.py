"""Breakers that keep calls from a model."""

from __future__ import annotations

from redis.asyncio import Redis

from shared.alerts.deciding import FigureReading
from shared.alerts.machine import FigureValue
from shared.breakers.fleet import breaker_names, read_named_breakers
from shared.breakers.reading import BreakerState
from shared.settings import Settings


class BreakerFigure:
    """1 while the breaker of a model is open or tries whether it may close; raises
    RedisUnavailable."""

    def __init__(self, redis: Redis, settings: Settings) -> None:
        self._redis = redis
        self._settings = settings.breakers
        self._names = breaker_names(settings.providers)

    async def __call__(self, _window_seconds: float) -> FigureReading:
        found = read_named_breakers(self._redis, self._settings, self._names)
        return FigureReading(
            [
                FigureValue({"provider": name}, float(each.state is not BreakerState.CLOSED))
                async for name, each in found
            ],
            # What the settings do not name any more keeps no call away.
            absent=0.0,
            is_data=bool(self._names),
        )
