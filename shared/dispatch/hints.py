"""Hints: that messages are held, so that the leader of the dispatch looks at once."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from redis.asyncio import Redis

from shared.clock import Clock
from shared.dispatch.credit import HINT_CHANNEL
from shared.errors import RedisUnavailable
from shared.messages.lane import Lane
from shared.redis.guarded import GuardedRedis


class DispatchHints:
    """Publishes the lanes' names; what is held while one is on its way shares the next.

    Nobody waits for it, and one that is lost costs the second until the leader looks by itself.
    """

    def __init__(self, redis: Redis, clock: Clock) -> None:
        self._redis = GuardedRedis(redis, clock)
        self._lanes: set[Lane] = set()
        self._telling: asyncio.Task[None] | None = None

    def note(self, lane: Lane) -> None:
        """A message of this lane is held and on disk."""
        self._lanes.add(lane)
        if self._telling is None or self._telling.done():
            self._telling = asyncio.get_running_loop().create_task(self._tell())

    async def close(self) -> None:
        """Wait for what is on its way."""
        if self._telling is not None:
            await asyncio.wait([self._telling])
        await self._redis.close()

    async def _tell(self) -> None:
        while self._lanes:
            said = " ".join(sorted(self._lanes))
            self._lanes.clear()
            with suppress(RedisUnavailable):
                async with self._redis.asking() as redis:
                    await redis.publish(HINT_CHANNEL, said)
