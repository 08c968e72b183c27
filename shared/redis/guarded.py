"""Redis as everybody calls it who can do without: bounded in time, and left alone while away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from redis.asyncio import Redis

from shared.clock import Clock
from shared.errors import RedisUnavailable
from shared.redis.connection import asking_redis
from shared.redis.scripts import LuaScript, ScriptCall, ScriptRun, run_scripts
from shared.resilience.kept_running import end_tasks

TIMEOUT_SECONDS: Final = 0.6
"""The longest that a call waits for Redis, connecting included."""
PROBE_INTERVAL_SECONDS: Final = 1.0


class GuardedRedis:
    """Redis behind a circuit: open from the first failure until a PING is answered.

    While it is open nothing is asked and nobody waits; a PING in the background, at most one each
    second and only while somebody asks, closes it. So a dead or frozen Redis costs the calls that
    were on their way, and nobody after them. `on_close` is called when Redis is back.

    What to do without Redis is the caller's to say: fail open, decide by itself, ask later.
    """

    def __init__(
        self,
        redis: Redis,
        clock: Clock,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        on_close: Callable[[], None] = lambda: None,
    ) -> None:
        self._redis = redis
        self._clock = clock
        self._timeout_seconds = timeout_seconds
        self._on_close = on_close
        self._open = False
        self._next_probe = 0.0
        self._probe: asyncio.Task[None] | None = None

    async def run(self, script: LuaScript, calls: Sequence[ScriptCall]) -> list[Any] | None:
        """Run the script for each call; see `run_each`."""
        return await self.run_each([(script, call) for call in calls])

    async def run_each(self, runs: Sequence[ScriptRun]) -> list[Any] | None:
        """Run them in their order in one round trip; None while Redis is away.

        An outcome is a value, or the RedisRefused of that run alone.
        """
        if self.is_away():
            return None
        try:
            return await run_scripts(self._redis, runs, seconds=self._timeout_seconds)
        except RedisUnavailable:
            self._trip()
            return None

    @asynccontextmanager
    async def asking(self) -> AsyncIterator[Redis]:
        """The client, for whatever is no script.

        Raises RedisUnavailable: at once while Redis is away, else within the time-out.
        """
        if self.is_away():
            raise RedisUnavailable("Redis is away.")
        try:
            async with asking_redis(seconds=self._timeout_seconds):
                yield self._redis
        except RedisUnavailable:
            self._trip()
            raise

    def is_away(self) -> bool:
        """Whether to do without Redis; asking is what keeps the probes going."""
        if self._open and self._probe is None and self._clock.monotonic() >= self._next_probe:
            self._probe = asyncio.get_running_loop().create_task(self._look())
        return self._open

    async def close(self) -> None:
        """End a probe that is on its way; the client is its owner's to close."""
        if self._probe is not None:
            await end_tasks(self._probe)

    def _trip(self) -> None:
        if not self._open:
            self._open = True
            self._next_probe = self._clock.monotonic() + PROBE_INTERVAL_SECONDS

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
