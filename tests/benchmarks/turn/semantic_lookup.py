"""A look into the semantic cache with 100,000 stored questions: embedding, Redis, scan, guard.

The stored vectors lie around those of real questions, which embedding 100,000 texts would not
change. Nothing is remembered between looks: every question is embedded again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from statistics import quantiles
from typing import Final

import numpy
import uvloop

from shared.clock import SystemClock
from shared.embeddings.onnx import OnnxEncoder
from shared.redis.client import open_redis
from shared.redis.guarded import GuardedRedis
from shared.settings.secret import ServerUrl
from shared.settings.servers import RedisSettings
from shared.settings.turn.semantic_caching import SemanticCachingSettings
from shared.telemetry.metrics import Metrics
from tests.benchmarks.day.generator import Day, Parameters
from tests.benchmarks.ground.stage import Broker, Stage
from tests.benchmarks.measurement import Progress, Row
from workers.caching.semantic.entry import SemanticEntry
from workers.caching.semantic.entry_log import EntryLog
from workers.caching.semantic.finding import Candidate
from workers.caching.semantic.shared_cache import SharedSemanticCache

ENTRIES: Final = 100_000
LIMIT_MILLISECONDS: Final = 5.0
LOOKS: Final = 400
AT_ONCE: Final = 8
SHORT_CHARACTERS: Final = 100
_A_TRIP: Final = 1_000
_NAMESPACE: Final = "benchmark"
_LATER: Final = 4e9
_SETTINGS: Final = SemanticCachingSettings(enabled=True, threshold=0.8, max_entries=ENTRIES + 2_000)


def measure(stage: Stage, seconds: float, say: Progress) -> Iterator[Row]:
    """The 95th percentile of one look, alone and with seven others, on the loop workers use."""
    yield from uvloop.run(_measure(stage.ground(Broker.REDIS).redis_url, say))


async def _measure(redis_url: str, say: Progress) -> list[Row]:
    questions = _questions()
    say(f"storing {ENTRIES:,} questions")
    async with _cache(redis_url, questions) as cache:
        say("looking into the semantic cache")
        await cache.add(_NAMESPACE, "How do I enable 2FA?", "known", ttl_seconds=600)
        loaded = time.monotonic()
        while not isinstance(
            await cache.find(_NAMESPACE, "How do I turn on 2FA, please?"), Candidate
        ):
            assert time.monotonic() < loaded + 60, "the questions were not loaded"
        loading = time.monotonic() - loaded
        began = time.process_time()
        alone = await _looks(cache, questions, at_once=1)
        cpu = (time.process_time() - began) / LOOKS * 1e3
        together = await _looks(cache, questions, at_once=AT_ONCE)
    return [
        _row("CPU", cpu),
        _row("one at a time, p50", alone[49]),
        _row("one at a time, p95", alone[94], limit=LIMIT_MILLISECONDS),
        _row(f"{AT_ONCE} at a time, p50", together[49]),
        _row(f"{AT_ONCE} at a time, p95", together[94], limit=LIMIT_MILLISECONDS),
        Row(what="the same, loading all into a new worker", on="Redis", unit="s", ours=loading),
    ]


def _row(how: str, milliseconds: float, *, limit: float | None = None) -> Row:
    return Row(
        what=f"semantic lookup over {ENTRIES:,} questions, embedding included, {how}",
        on="Redis",
        unit="ms",
        ours=milliseconds,
        limit=limit,
    )


def _questions() -> list[str]:
    """Short ones, as people ask them."""
    asked = {each.text for each in Day(Parameters(messages=1_500)).messages()}
    return sorted(text for text in asked if len(text) <= SHORT_CHARACTERS)


@asynccontextmanager
async def _cache(redis_url: str, questions: list[str]) -> AsyncIterator[SharedSemanticCache]:
    redis = open_redis(RedisSettings(url=ServerUrl(redis_url)))
    encoder = OnnxEncoder()
    cache = SharedSemanticCache(redis, encoder, SystemClock(), Metrics(), _SETTINGS)
    shared = GuardedRedis(redis, SystemClock())
    log = EntryLog(shared, model=encoder.name, max_entries=_SETTINGS.max_entries, ttl_seconds=3_600)
    around = await encoder.encode(questions)
    random = numpy.random.default_rng(7)
    for start in range(0, ENTRIES, _A_TRIP):
        centres = around[random.integers(0, len(around), _A_TRIP)]
        # So far away that none of them is taken for the same question.
        moved = centres + random.normal(size=centres.shape) * 0.06
        scaled = numpy.rint(moved * (127 / numpy.abs(moved).max(axis=1, keepdims=True)))
        entries = (
            SemanticEntry(
                f"entry-{start + place}", questions[place % len(questions)], _LATER, vector
            )
            for place, vector in enumerate(row.tobytes() for row in scaled.astype(numpy.int8))
        )
        await log.append(_NAMESPACE, *entries)
    yield cache
    await cache.close()
    await encoder.close()
    await redis.aclose()


async def _looks(cache: SharedSemanticCache, questions: list[str], *, at_once: int) -> list[float]:
    """Percentiles, in milliseconds."""
    left = [questions[place % len(questions)] for place in range(LOOKS)]
    took: list[float] = []

    async def look() -> None:
        while left:
            text, began = left.pop(), time.perf_counter()
            await cache.find(_NAMESPACE, text)
            took.append((time.perf_counter() - began) * 1e3)

    await asyncio.gather(*(look() for _ in range(at_once)))
    return quantiles(took, n=100)
