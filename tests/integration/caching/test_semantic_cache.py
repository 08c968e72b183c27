"""Workers that share stored questions through one Redis, with the real encoder."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import msgspec
import pytest
from redis.asyncio import Redis

from shared.clock import Clock, ManualClock, SystemClock
from shared.embeddings.onnx import OnnxEncoder
from shared.redis.client import open_redis
from shared.settings.secret import ServerUrl
from shared.settings.servers import RedisSettings
from shared.settings.turn.semantic_caching import SemanticCachingSettings
from shared.telemetry.metrics import Metrics
from tests.servers.redis import RedisServer
from workers.caching.semantic import shared_cache
from workers.caching.semantic.finding import Candidate, RefusedHit
from workers.caching.semantic.guard.guard_rule import GuardRule
from workers.caching.semantic.shared_cache import LONGEST_CHARACTERS, SharedSemanticCache

SETTINGS = SemanticCachingSettings(enabled=True, threshold=0.8)
ENABLE = "How do I enable 2FA?"
TURN_ON = "How do I turn on 2FA?"
DISABLE = "How do I disable 2FA?"


@pytest.fixture(scope="module")
def encoder() -> OnnxEncoder:
    # Its groups belong to the loop that runs them, and each test has its own: none is in flight
    # between two tests, so one loaded model may serve them all.
    return OnnxEncoder()


class Fleet:
    """Workers on one Redis."""

    def __init__(self, redis: Redis, encoder: OnnxEncoder) -> None:
        self._redis = redis
        self._encoder = encoder
        self._workers: list[SharedSemanticCache] = []

    def worker(
        self,
        settings: SemanticCachingSettings = SETTINGS,
        clock: Clock | None = None,
    ) -> SharedSemanticCache:
        worker = SharedSemanticCache(
            self._redis, self._encoder, clock or SystemClock(), Metrics(), settings
        )
        self._workers.append(worker)
        return worker

    async def close(self) -> None:
        for worker in self._workers:
            await worker.close()


@pytest.fixture
async def fleet(
    redis_client: Redis, encoder: OnnxEncoder, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Fleet]:
    # What is found is tested here, and the machine may be busy: no look is given up as too slow.
    monkeypatch.setattr(shared_cache, "TIMEOUT_SECONDS", 30.0)
    fleet = Fleet(redis_client, encoder)
    yield fleet
    await fleet.close()


async def test_what_one_worker_stores_another_finds_in_other_words(fleet: Fleet) -> None:
    one, other = fleet.worker(), fleet.worker()
    assert await other.find("n", TURN_ON) is None
    await one.add("n", ENABLE, "entry-1", ttl_seconds=60)
    found = await other.find("n", TURN_ON)
    assert isinstance(found, Candidate)
    assert (found.entry_id, found.text) == ("entry-1", ENABLE)
    assert 0.8 < found.similarity < 1


async def test_the_opposite_question_is_refused_by_the_guard(fleet: Fleet) -> None:
    worker = fleet.worker()
    await worker.add("n", ENABLE, "entry-1", ttl_seconds=60)
    refused = await worker.find("n", DISABLE)
    assert isinstance(refused, RefusedHit)
    assert refused.rule is GuardRule.POLARITY
    assert refused.text == ENABLE
    assert refused.similarity > 0.8


async def test_the_right_question_is_found_behind_a_nearer_wrong_one(fleet: Fleet) -> None:
    worker = fleet.worker()
    await worker.add("n", DISABLE, "wrong", ttl_seconds=60)
    await worker.add("n", TURN_ON, "right", ttl_seconds=60)
    found = await worker.find("n", ENABLE)
    assert isinstance(found, Candidate)
    assert found.entry_id == "right"


async def test_namespaces_never_mix(fleet: Fleet) -> None:
    worker = fleet.worker()
    await worker.add("one tenant", ENABLE, "entry-1", ttl_seconds=60)
    assert await worker.find("another tenant", ENABLE) is None
    assert isinstance(await worker.find("one tenant", ENABLE), Candidate)


async def test_a_removed_entry_is_found_by_no_worker(fleet: Fleet) -> None:
    one, other = fleet.worker(), fleet.worker()
    await one.add("n", ENABLE, "entry-1", ttl_seconds=60)
    assert await other.find("n", ENABLE)
    await one.remove("n", "entry-1")
    assert await other.find("n", ENABLE) is None
    assert await one.find("n", ENABLE) is None
    assert await fleet.worker().find("n", ENABLE) is None


async def test_an_entry_is_forgotten_when_its_time_is_over(fleet: Fleet) -> None:
    clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
    worker = fleet.worker(clock=clock)
    await worker.add("n", ENABLE, "entry-1", ttl_seconds=60)
    assert await worker.find("n", ENABLE)
    clock.advance(61)
    assert await worker.find("n", ENABLE) is None


async def test_a_switched_off_cache_stores_and_finds_nothing(
    fleet: Fleet, redis_client: Redis
) -> None:
    off = fleet.worker(msgspec.structs.replace(SETTINGS, enabled=False))
    await off.add("n", ENABLE, "entry-1", ttl_seconds=60)
    assert await redis_client.keys("*") == []
    await fleet.worker().add("n", ENABLE, "entry-1", ttl_seconds=60)
    assert await off.find("n", ENABLE) is None


async def test_below_the_threshold_nothing_is_found(fleet: Fleet) -> None:
    strict = fleet.worker(msgspec.structs.replace(SETTINGS, threshold=0.999))
    await strict.add("n", ENABLE, "entry-1", ttl_seconds=60)
    assert await strict.find("n", TURN_ON) is None
    assert isinstance(await strict.find("n", ENABLE), Candidate)


async def test_texts_the_model_cannot_read_whole_are_left_alone(
    fleet: Fleet, redis_client: Redis
) -> None:
    worker = fleet.worker()
    for text in ("x " * LONGEST_CHARACTERS, "", " \n"):
        await worker.add("n", text, "entry-1", ttl_seconds=60)
        assert await worker.find("n", text) is None
    assert await redis_client.keys("*") == []


async def test_redis_keeps_a_bounded_number_for_a_bounded_time(
    fleet: Fleet, redis_client: Redis
) -> None:
    few = msgspec.structs.replace(SETTINGS, max_entries=50, ttl_seconds=100)
    worker = fleet.worker(few)
    questions = [f"What is the meaning of paragraph {n}?" for n in range(300)]
    for n, question in enumerate(questions):
        await worker.add("n", question, f"entry-{n}", ttl_seconds=1e9)
    (key,) = await redis_client.keys("*")
    # Redis cuts a stream by whole nodes of 100, so a few more may stay.
    assert await redis_client.xlen(key) <= 200
    assert 0 < await redis_client.ttl(key) <= 100
    newest = await fleet.worker(few).find("n", questions[-1])
    assert isinstance(newest, Candidate)
    assert newest.entry_id == "entry-299"


async def test_a_large_namespace_is_loaded_in_the_background(fleet: Fleet) -> None:
    writer = fleet.worker()
    questions = [f"Where is the file number {n} kept?" for n in range(1_000)]
    await asyncio.gather(
        *(
            writer.add("n", question, f"entry-{n}", ttl_seconds=60)
            for n, question in enumerate(questions)
        )
    )
    reader = fleet.worker()
    async with asyncio.timeout(60):
        while not isinstance(await reader.find("n", questions[-1]), Candidate):
            pass  # each look reads on as well
    found = await asyncio.gather(*(reader.find("n", question) for question in questions[::50]))
    assert [each and each.text for each in found] == questions[::50]


async def test_many_at_once_each_get_their_own(fleet: Fleet) -> None:
    worker = fleet.worker()
    pairs = [("n", ENABLE), ("n", DISABLE), ("other", TURN_ON)]
    for number, (namespace, text) in enumerate(pairs):
        await worker.add(namespace, text, f"entry-{number}", ttl_seconds=60)
    found = await asyncio.gather(*(worker.find(*pair) for pair in pairs * 20))
    assert [isinstance(each, Candidate) and each.entry_id for each in found] == [
        f"entry-{number}" for _ in range(20) for number in range(3)
    ]


async def test_without_redis_every_look_misses_and_none_hangs(
    own_redis: RedisServer, encoder: OnnxEncoder
) -> None:
    client = open_redis(RedisSettings(url=ServerUrl(own_redis.url)))
    fleet = Fleet(client, encoder)
    worker = fleet.worker()
    await worker.add("n", ENABLE, "entry-1", ttl_seconds=60)
    own_redis.kill()
    async with asyncio.timeout(60):
        assert await worker.find("n", ENABLE) is None
        await worker.add("n", TURN_ON, "entry-2", ttl_seconds=60)
        await worker.remove("n", "entry-1")
    own_redis.start()
    async with asyncio.timeout(60):
        while True:
            await worker.add("n", ENABLE, "entry-3", ttl_seconds=60)
            if isinstance(await worker.find("n", ENABLE), Candidate):
                break
            await asyncio.sleep(0.1)
    await fleet.close()
    await client.aclose()
