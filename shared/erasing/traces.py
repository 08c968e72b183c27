"""Traces: what Redis has of messages that are erased, which their rows do not lead to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Final, cast

from redis.asyncio import Redis
from sqlalchemy import select

from shared.answer_cache.housekeeping import Housekeeping
from shared.answer_cache.stored_answer import CachePlace, decode_answer, index_key
from shared.persistence.bulk_parameters import IdList
from shared.persistence.engine import Database
from shared.persistence.statements import reading
from shared.persistence.tables import message
from shared.redis.connection import asking_redis
from shared.redis.scripts import LuaScript, ScriptCall, load_script

QUESTIONS: Final = "forebay:semantic:*"
"""The logs of questions that mean the same, of all tenants, as workers keep them."""
_A_TRIP: Final = 200
_KEYS_A_TRIP: Final = 1_000
_TRIPS: Final = 20
_FIRST: Final = "-"
_END: Final = 0


def summaries_of(tenant_id: str) -> str:
    """The keys of a tenant's summaries, as workers name them."""
    return f"forebay:{{{tenant_id}}}:summary:*"


class RedisTraces:
    """Finds by looking through everything, in small trips; raises Unavailable.

    Nothing is remembered between two calls: what was interrupted is done again.
    """

    def __init__(self, redis: Redis, database: Database) -> None:
        self._redis = redis
        self._housekeeping = Housekeeping(redis)
        self._forget: LuaScript = load_script("shared.erasing", "forget_questions.lua")
        self._engine = database.relaxed
        self._ids = IdList(database.relaxed.dialect)
        self._kept = select(message.c.id).where(
            self._ids.holds(message.c.id), message.c.erased_at.is_(None)
        )

    async def forget_answers(self, tenant_id: str) -> int:
        """Drop the tenant's stored answers whose messages are erased or gone; how many there were.

        The questions that led to them go first, so that none is left without its answer.
        """
        orphans = [place async for place in self._orphans(tenant_id)]
        if not orphans:
            return 0
        await self._forget_questions({place.entry_id for place in orphans})
        dropped = [await self._housekeeping.drop(place) for place in orphans]
        return sum(dropped)

    async def forget_summaries(self, tenant_id: str, cursor: int) -> int:
        """Drop the tenant's summaries among the next keys; where to look on from, 0 at the end.

        What is still wanted is made again: a summary does not say which messages it is of.
        """
        for _ in range(_TRIPS):
            async with asking_redis():
                cursor, keys = await self._redis.scan(
                    cursor, match=summaries_of(tenant_id), count=_KEYS_A_TRIP
                )
                if keys:
                    await self._redis.unlink(*keys)
            if cursor == _END:
                return _END
        return cursor

    async def _orphans(self, tenant_id: str) -> AsyncIterator[CachePlace]:
        cursor = _END
        while True:
            async with asking_redis():
                cursor, found = await self._redis.zscan(index_key(tenant_id), cursor, count=_A_TRIP)
            pairs = cast("list[tuple[bytes, float]]", found)
            places = [CachePlace(tenant_id, digest.decode()) for digest, _ in pairs]
            for place in await self._without_message(places):
                yield place
            if cursor == _END:
                return

    async def _without_message(self, places: Sequence[CachePlace]) -> list[CachePlace]:
        if not places:
            return []
        async with asking_redis(), self._redis.pipeline(transaction=False) as pipeline:
            for place in places:
                pipeline.hget(place.entry, "answer")
            stored = await pipeline.execute()
        sources = {}
        for place, encoded in zip(places, stored, strict=True):
            if encoded is not None and (answer := decode_answer(encoded)) is not None:
                sources[place] = answer.response_id
        async with reading(self._engine) as connection:
            wanted = self._ids.parameters([*sources.values()])
            kept = {*(await connection.execute(self._kept, wanted)).scalars()}
        return [place for place, response_id in sources.items() if response_id not in kept]

    async def _forget_questions(self, answer_ids: set[str]) -> None:
        """Out of each log, and out of the memory of every worker that has read it."""
        async with asking_redis():
            logs = [log async for log in self._redis.scan_iter(match=QUESTIONS, count=_KEYS_A_TRIP)]
        for log in logs:
            if condemned := [each async for each in self._answers_of(log) if each in answer_ids]:
                await self._forget.call(self._redis, ScriptCall((log,), tuple(condemned)))

    async def _answers_of(self, log: bytes) -> AsyncIterator[str]:
        after = _FIRST
        while True:
            async with asking_redis():
                found = await self._redis.xrange(log, min=after, count=_A_TRIP)
            entries = cast("list[tuple[bytes, dict[bytes, bytes]]]", found)
            if not entries:
                return
            for _, fields in entries:
                if answer_id := fields.get(b"i"):
                    yield answer_id.decode()
            after = f"({entries[-1][0].decode()}"
