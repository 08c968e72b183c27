"""Where a rehearsal is put up for all workers, and goes by itself when its time is over."""

from __future__ import annotations

from typing import Final

import msgspec
from redis.asyncio import Redis

from shared.errors import Conflict
from shared.redis.connection import asking_redis
from shared.rehearsals.rehearsal import RunningDrill

_KEY: Final = "forebay:rehearsal"


class RehearsalBoard:
    """One at a time; everything raises RedisUnavailable.

    It ends with its time even where whoever began it is dead: Redis forgets it.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._decoder = msgspec.json.Decoder(RunningDrill)

    async def begin(self, rehearsal: RunningDrill, *, seconds: float) -> None:
        """Raises Conflict while another one runs."""
        async with asking_redis():
            text, lasts = msgspec.json.encode(rehearsal), int(seconds * 1000)
            if not await self._redis.set(_KEY, text, px=lasts, nx=True):
                raise Conflict("Another rehearsal runs: wait for its end, or end it with --stop.")

    async def now(self) -> RunningDrill | None:
        """The one that runs. One of another version, which this cannot read, is none."""
        async with asking_redis():
            found = await self._redis.get(_KEY)
        try:
            return None if found is None else self._decoder.decode(found)
        except msgspec.MsgspecError:
            return None

    async def end(self) -> bool:
        """At once; whether one ran."""
        async with asking_redis():
            return bool(await self._redis.delete(_KEY))
