"""The store of answers: found in one round trip, bounded by size, age and number."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from redis.asyncio import Redis

from shared.answer_cache.stored_answer import (
    CachedAnswer,
    CacheFinding,
    CachePlace,
    CacheTicket,
    FlightRole,
    decode_answer,
    encode_answer,
    entry_prefix,
    generation_key,
    index_key,
)
from shared.clock import Clock
from shared.errors import RedisUnavailable, Unavailable
from shared.redis.guarded import GuardedRedis
from shared.redis.scripts import LuaScript, ScriptCall, load_script
from shared.resilience.group_commit import GroupCommit

_PACKAGE: Final = "shared.answer_cache"
_ANY_AGE: Final = ""
_NO_ANSWER: Final = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Quest:
    """What to look for. With an `owner` it takes a seat on the flight when there is no answer."""

    place: CachePlace
    owner: str = ""
    max_age_seconds: float | None = None
    reads: bool = True
    """False to learn the generation alone."""


class AnswerCache:
    """Looks travel in groups. Redis away or slow is a miss: a cache fails open, and at once."""

    def __init__(
        self,
        redis: Redis,
        clock: Clock,
        *,
        timeout_seconds: float,
        ttl_seconds: float,
        entries_per_tenant: int,
        flight_lease_seconds: float,
    ) -> None:
        self._redis = GuardedRedis(redis, clock, timeout_seconds=timeout_seconds)
        self._ttl_ms = int(ttl_seconds * 1000)
        self._entries_per_tenant = entries_per_tenant
        self._lease_ms = int(flight_lease_seconds * 1000)
        self._look_up: LuaScript = load_script(_PACKAGE, "look_up.lua")
        self._store: LuaScript = load_script(_PACKAGE, "store.lua")
        self._looks: GroupCommit[Quest, CacheFinding | None] = GroupCommit(
            self._look_all, concurrency=4
        )

    async def look_up(self, quest: Quest) -> CacheFinding | None:
        """What is there; None when Redis did not say."""
        try:
            return await self._looks.submit(quest)
        except Unavailable:
            return None

    async def store(self, ticket: CacheTicket, answer: CachedAnswer) -> bool:
        """Keep an answer where its question was looked up; whether it is kept."""
        place = ticket.place
        call = ScriptCall(
            (generation_key(place.tenant_id), place.entry, index_key(place.tenant_id)),
            (
                ticket.generation,
                encode_answer(answer),
                self._ttl_ms,
                place.digest,
                self._entries_per_tenant,
                entry_prefix(place.tenant_id),
            ),
        )
        return await self._redis.run(self._store, [call]) == [1]

    async def drop(self, place: CachePlace) -> None:
        """Forget one answer; without Redis it stays until it is too old."""
        with suppress(RedisUnavailable):
            async with self._redis.asking() as redis:
                await redis.unlink(place.entry)

    async def close(self) -> None:
        await self._looks.close()
        await self._redis.close()

    async def _look_all(self, quests: list[Quest]) -> Sequence[CacheFinding | None]:
        calls = [self._call(quest) for quest in quests]
        replies = await self._redis.run(self._look_up, calls)
        return [_finding(reply) for reply in replies or [None] * len(quests)]

    def _call(self, quest: Quest) -> ScriptCall:
        place = quest.place
        oldest: str | int = _ANY_AGE
        if not quest.reads:
            oldest = _NO_ANSWER
        elif quest.max_age_seconds is not None:
            oldest = int(quest.max_age_seconds * 1000)
        return ScriptCall(
            (generation_key(place.tenant_id), place.entry, place.flight),
            (quest.owner, self._lease_ms, oldest),
        )


def _finding(reply: object) -> CacheFinding | None:
    if not isinstance(reply, list):
        return None
    generation, role, age_ms, stored = reply
    answer = decode_answer(stored) if stored else None
    return CacheFinding(generation, FlightRole(role), answer, age_ms / 1000)
