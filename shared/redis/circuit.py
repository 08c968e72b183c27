"""Redis away: noticed once, then nobody waits for it until it answers again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from redis.asyncio import Redis

from shared.clock import Clock
from shared.errors import RedisUnavailable
from shared.redis.asking import asking_redis

PROBE_INTERVAL_SECONDS: Final = 1.0


class Circuit:
    """Open from the first failure until a PING is answered.

    While it is open callers do without Redis at once; a PING in the background, at most one each
    second and only while somebody asks, closes it. So a dead or frozen Redis costs the calls
    that were on their way, and nobody after them.
    """

    def __init__(
        self,
        redis: Redis,
        clock: Clock,
        *,
        timeout_seconds: float,
        on_close: Callable[[], None] = lambda: None,
    ) -> None:
        self._redis = redis
        self._clock = clock
        self._timeout_seconds = timeout_seconds
        self._on_close = on_close
        self._open = False
        self._next_probe = 0.0
        self._probe: asyncio.Task[None] | None = None

    def trip(self) -> None:
        """A call failed: do without Redis from now on."""
        if not self._open:
            self._open = True
            self._next_probe = self._clock.monotonic() + PROBE_INTERVAL_SECONDS

    def is_open(self) -> bool:
        """Whether to do without Redis; asking is what keeps the probes going."""
        if self._open and self._probe is None and self._clock.monotonic() >= self._next_probe:
            self._probe = asyncio.get_running_loop().create_task(self._look())
        return self._open

    async def close(self) -> None:
        """End a probe that is on its way."""
        if self._probe is not None:
            self._probe.cancel()
            await asyncio.gather(self._probe, return_exceptions=True)

    async def _look(self) -> None:
        try:
            async with asking_redis(seconds=self._timeout_seconds):
                await self._redis.ping()
        except RedisUnavailable:
            self._next_probe = self._clock.monotonic() + PROBE_INTERVAL_SECONDS
        else:
            self._open = False
            self._on_close()
        finally:
            self._probe = None
