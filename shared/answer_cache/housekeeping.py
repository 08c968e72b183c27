"""What a tenant or an operator does to stored answers: show, forget, forget all."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final, cast

from redis.asyncio import Redis

from shared.answer_cache.stored_answer import (
    CachedAnswer,
    CachePlace,
    decode_answer,
    entry_prefix,
    generation_key,
    index_key,
)
from shared.redis.connection import asking_redis

_ENTRIES_A_TRIP: Final = 500


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """One entry as it is stored; `is_current` when its generation can still be reached."""

    answer: CachedAnswer
    age_seconds: float
    is_current: bool


class Housekeeping:
    """Every method raises RedisUnavailable: who deletes wants to know that it is deleted."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def invalidate(self, tenant_id: str) -> int:
        """Put all of the tenant's answers out of reach, then free their memory; how many.

        What was asked before and is answered later is not stored.
        """
        async with asking_redis():
            await self._next_generation(tenant_id)
            return await self._sweep(tenant_id)

    async def drop(self, place: CachePlace) -> bool:
        """Forget one answer; False when there was none."""
        async with asking_redis():
            await self._redis.zrem(index_key(place.tenant_id), place.digest)
            return bool(await self._redis.unlink(place.entry))

    async def show(self, place: CachePlace) -> KeptAnswer | None:
        """One answer as it is stored."""
        async with asking_redis():
            # The client answers in bytes; its types cover the decoding client as well.
            fields = cast("dict[bytes, bytes]", await self._redis.hgetall(place.entry))
            generation = await self._redis.get(generation_key(place.tenant_id))
        answer = decode_answer(fields[b"answer"]) if fields else None
        if answer is None:
            return None
        age_seconds = max(0.0, time.time() - int(fields[b"stored_ms"]) / 1000)
        return KeptAnswer(answer, age_seconds, fields[b"generation"] == generation)

    async def _next_generation(self, tenant_id: str) -> None:
        key = generation_key(tenant_id)
        known = int(await self._redis.get(key) or 0)
        await self._redis.set(key, max(known + 1, int(time.time() * 1000)))

    async def _sweep(self, tenant_id: str) -> int:
        swept = 0
        while True:
            oldest = await self._redis.zpopmin(index_key(tenant_id), _ENTRIES_A_TRIP)
            if not oldest:
                return swept
            digests = [digest for digest, _ in cast("list[tuple[bytes, float]]", oldest)]
            prefix = entry_prefix(tenant_id).encode()
            swept += await self._redis.unlink(*(prefix + digest for digest in digests))
