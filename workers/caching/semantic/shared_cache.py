"""The semantic cache: questions in Redis, searched in each worker's own memory."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from redis.asyncio import Redis

from shared.clock import Clock
from shared.embeddings.encoder import Encoder
from shared.errors import RedisUnavailable, Unavailable
from shared.redis.guarded import GuardedRedis
from shared.settings.turn.semantic_caching import SemanticCachingSettings
from shared.telemetry.metrics import Metrics
from workers.caching.semantic.entry import Change, Removal, SemanticEntry
from workers.caching.semantic.entry_log import EntryLog
from workers.caching.semantic.finding import Candidate, Finding, RefusedHit
from workers.caching.semantic.guard.guard import refusal
from workers.caching.semantic.guard.question import GuardedQuestion
from workers.caching.semantic.namespaces import Namespaces
from workers.caching.semantic.nearest import NearestQuestions, Neighbour

if TYPE_CHECKING:
    from shared.embeddings.encoder import Vectors

TIMEOUT_SECONDS: Final = 0.3
"""A cache that takes longer than this saves nothing."""
LONGEST_CHARACTERS: Final = 500
"""Longer texts are rarely asked again, and of long ones the model reads only the beginning."""
_LOOKED_AT: Final = 5
"""Where the nearest is refused, the next may be the question that was meant."""
_AT_ONCE: Final = 2_048
"""So few are searched in less time than a trip to a thread takes."""


class SharedSemanticCache:
    """See `SemanticCache`, whose promises it keeps."""

    def __init__(
        self,
        redis: Redis,
        encoder: Encoder,
        clock: Clock,
        metrics: Metrics,
        settings: SemanticCachingSettings,
    ) -> None:
        self._encoder = encoder
        self._clock = clock
        self._metrics = metrics
        self._threshold = settings.threshold if settings.enabled else None
        self._longest_ttl = settings.ttl_seconds
        self._redis = GuardedRedis(redis, clock, timeout_seconds=TIMEOUT_SECONDS)
        self._log = EntryLog(
            self._redis,
            model=encoder.name,
            max_entries=settings.max_entries,
            ttl_seconds=settings.ttl_seconds,
        )
        self._namespaces = Namespaces(
            self._log,
            clock,
            dimensions=encoder.dimensions,
            max_entries=settings.max_entries,
            memory_bytes=settings.memory_bytes,
        )
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="semantic")

    async def find(self, namespace: str, text: str) -> Finding:
        """The most similar stored question that the guard lets through."""
        if self._threshold is None or not _is_readable(text):
            return None
        with self._metrics.semantic_lookup_duration_seconds.time():
            try:
                vector, questions = await asyncio.gather(
                    self._vector(text), self._namespaces.current(namespace)
                )
            except Unavailable:
                return None
            if questions is None:
                return None
            return await self._judged(text, await self._nearest(vector, questions))

    async def add(self, namespace: str, text: str, entry_id: str, *, ttl_seconds: float) -> None:
        """Let every worker find `entry_id` under this question for so long."""
        if self._threshold is None or not _is_readable(text):
            return
        try:
            vector = await self._vector(text)
        except Unavailable:
            return
        expires_at = self._clock.now().timestamp() + min(ttl_seconds, self._longest_ttl)
        await self._tell(namespace, SemanticEntry(entry_id, text, expires_at, _as_bytes(vector)))

    async def remove(self, namespace: str, entry_id: str) -> None:
        """Let no worker find it any more from its next look on."""
        await self._tell(namespace, Removal(entry_id))

    async def close(self) -> None:
        """Give up the memory, and end what is loaded in the background."""
        await self._namespaces.close()
        await self._redis.close()
        self._threads.shutdown(wait=False)

    async def _vector(self, text: str) -> Vectors:
        vectors = await self._encoder.encode([text])
        vector: Vectors = vectors[0]
        return vector

    async def _nearest(self, vector: Vectors, questions: NearestQuestions) -> list[Neighbour]:
        self._metrics.semantic_entries.set(self._namespaces.entries)
        rows, filled = questions.snapshot()
        now = self._clock.now().timestamp()

        def search() -> list[Neighbour]:
            return rows.search(vector, filled, count=_LOOKED_AT, now=now)

        if filled <= _AT_ONCE:
            return search()
        return await asyncio.get_running_loop().run_in_executor(self._threads, search)

    async def _judged(self, text: str, neighbours: Sequence[Neighbour]) -> Finding:
        least = 1.0 if self._threshold is None else self._threshold
        near = [each for each in neighbours if each.similarity >= least]
        if not near:
            return None
        asked = GuardedQuestion(text)
        refused: RefusedHit | None = None
        for neighbour in near:
            entry = neighbour.entry
            rule = refusal(asked, GuardedQuestion(entry.text))
            if rule is None:
                return Candidate(entry.id, neighbour.similarity, entry.text)
            refused = refused or RefusedHit(rule, neighbour.similarity, entry.text)
            # Judging a long question takes half a millisecond, so others may go between.
            await asyncio.sleep(0)
        return refused

    async def _tell(self, namespace: str, change: Change) -> None:
        try:
            await self._log.append(namespace, change)
        except RedisUnavailable:
            # Not told: an addition is a hit less, and a removed answer is gone where it lay.
            self._metrics.semantic_untold_changes.inc()


def _is_readable(text: str) -> bool:
    return bool(text.strip()) and len(text) <= LONGEST_CHARACTERS


def _as_bytes(vector: Vectors) -> bytes:
    import numpy

    scaled = numpy.rint(vector * (127 / numpy.abs(vector).max()))
    return bytes(scaled.astype(numpy.int8).tobytes())
