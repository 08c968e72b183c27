"""Trying a server for those who watch over this process: cheap, in time, and never in a crowd."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from redis.asyncio import Redis

from shared.clock import Clock
from shared.errors import Unavailable
from shared.redis.connection import asking_redis
from shared.resilience.kept_running import end_tasks

KEPT_SECONDS: Final = 1.0


class Probe:
    """Tries one server at most once a second, whoever asks, and knows within `seconds`.

    `attempt` raises Unavailable. One that is late counts as failed and is left to its end before
    the next: a server that hangs has one attempt hanging on it.
    """

    def __init__(
        self, attempt: Callable[[], Awaitable[object]], clock: Clock, *, seconds: float
    ) -> None:
        self._attempt = attempt
        self._clock = clock
        self._seconds = seconds
        self._trying: asyncio.Task[None] | None = None
        self._tried_at = float("-inf")
        self._well = False

    async def is_well(self) -> bool:
        """Whether the attempt of this second succeeded."""
        if self._trying is None and self._clock.monotonic() - self._tried_at >= KEPT_SECONDS:
            self._trying = asyncio.get_running_loop().create_task(self._try())
        if self._trying is not None:
            done, _ = await asyncio.wait({self._trying}, timeout=self._seconds)
            return bool(done) and self._well
        return self._well

    async def close(self) -> None:
        """End an attempt that is under way."""
        if self._trying is not None:
            await end_tasks(self._trying)

    async def _try(self) -> None:
        self._well = False
        try:
            await self._attempt()
            self._well = True
        except Unavailable:
            return
        finally:
            self._tried_at = self._clock.monotonic()
            self._trying = None


def redis_probe(redis: Redis, clock: Clock, seconds: float) -> Probe:
    """Tries whether Redis takes what is written."""

    async def write() -> None:
        async with asking_redis(seconds=seconds):
            await redis.set("forebay:ready", b"", px=1)

    return Probe(write, clock, seconds=seconds)
