"""What a tenant or an operator does to stored answers: show, forget, forget all, complain."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final, cast

import msgspec
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

MOST_COMPLAINTS: Final = 1_000
COMPLAINTS_SECONDS: Final = 30 * 86_400
_ENTRIES_A_TRIP: Final = 500


class Complaint(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A stored answer that somebody calls wrong; `at` is a Unix time."""

    entry: str
    at: float
    comment: str = ""
    response_id: str | None = None


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

    async def complain(self, tenant_id: str, complaint: Complaint) -> None:
        """Note a complaint; the latest thousand are kept for a month."""
        key = _complaints_key(tenant_id)
        async with asking_redis(), self._redis.pipeline(transaction=False) as pipeline:
            pipeline.lpush(key, msgspec.json.encode(complaint))
            pipeline.ltrim(key, 0, MOST_COMPLAINTS - 1)
            pipeline.expire(key, COMPLAINTS_SECONDS)
            await pipeline.execute()

    async def complaints(self, tenant_id: str, *, limit: int) -> list[Complaint]:
        """The latest complaints, newest first."""
        async with asking_redis():
            stored = await self._redis.lrange(_complaints_key(tenant_id), 0, limit - 1)
        return [msgspec.json.decode(each, type=Complaint) for each in stored]

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


def _complaints_key(tenant_id: str) -> str:
    return f"forebay:cache:{{{tenant_id}}}:complaints"
