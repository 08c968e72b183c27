"""A sick server never hangs the door: an answer, or 503 within a second."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator

import aiohttp
import msgspec
import pytest

from shared.settings import Settings
from tests.integration.ingress.conftest import patient, settings_for
from tests.integration.ingress.new_key import new_key
from tests.integration.ingress.running_door import RunningDoor
from tests.integration.ingress.stand_in_worker import StandInWorker
from tests.servers.migrated import migrate
from tests.servers.postgres import PostgresServer
from tests.servers.redis import RedisServer

BACKGROUND = {"input": "Hi", "background": True}


class Stopwatch:
    """Seconds since it was made."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began


@pytest.fixture
def settings(own_redis: RedisServer, migrated_sqlite_url: str, redis_url: str) -> Settings:
    """The replies' Redis belongs to this test; the broker is another one."""
    usual = settings_for(migrated_sqlite_url, own_redis.database_url(0), redis_url)
    return msgspec.structs.replace(patient(usual), redis=usual.redis)


@pytest.mark.parametrize("what", ["kill", "pause"])
async def test_without_redis_messages_are_accepted_and_answered_from_the_ledger(
    own_redis: RedisServer, http: aiohttp.ClientSession, worker: StandInWorker, what: str
) -> None:
    async with http.post("/v1/responses", json=BACKGROUND) as answer:
        assert answer.status == 200
    getattr(own_redis, what)()
    try:
        watch = Stopwatch()
        async with http.post("/v1/responses", json=BACKGROUND) as answer:
            message_id = (await answer.json())["id"]
        assert answer.status == 200
        assert watch.seconds < 30
        waiting = asyncio.create_task(http.post("/v1/responses", json={"input": "Ho"}))
        for queued in await worker.wait_for_queued(3):
            await worker.settle(await worker.claim(queued), output_text="Hi")
        watch = Stopwatch()
        async with await waiting as answer:
            assert (await answer.json())["status"] == "completed"
        assert watch.seconds < 30
        async with http.get(f"/v1/responses/{message_id}?stream=true") as stream:
            assert b"response.completed" in await stream.read()
    finally:
        own_redis.resume() if what == "pause" else None


async def test_a_stream_outlives_the_redis_it_came_from(
    own_redis: RedisServer, http: aiohttp.ClientSession, worker: StandInWorker
) -> None:
    async with http.post("/v1/responses", json={"input": "Hi", "stream": True}) as stream:
        record = await worker.claim(await worker.next_queued())
        await worker.begin_stream(record)
        await worker.stream_words(record, ["one "])
        async for line in stream.content:
            if b"delta" in line:
                break
        own_redis.kill()
        await worker.settle(record, output_text="one two")
        rest = await stream.read()
    assert b"event: response.completed" in rest
    assert b"one two" in rest


async def test_readiness_says_what_is_away(
    own_redis: RedisServer, http: aiohttp.ClientSession
) -> None:
    own_redis.kill()
    away = {"status": "ready", "ledger": "ok", "broker": "ok", "redis": "degraded"}
    async with asyncio.timeout(60):
        while True:  # a busy machine may not hear from the others in time
            async with http.get("/readyz") as answer:
                if (answer.status, await answer.json()) == (200, away):
                    break


@pytest.fixture
def own_ledger(own_postgres: PostgresServer) -> str:
    url = own_postgres.database_url(own_postgres.create_database())
    migrate(url)
    return url


@pytest.fixture
def postgres_door(own_ledger: str, redis_url: str) -> Iterator[RunningDoor]:
    with RunningDoor(settings_for(own_ledger, redis_url)) as running:
        yield running


@pytest.fixture
async def postgres_http(
    postgres_door: RunningDoor, own_ledger: str, redis_url: str
) -> AsyncIterator[aiohttp.ClientSession]:
    key = await new_key(patient(settings_for(own_ledger, redis_url)).ledger)
    headers = {"Authorization": f"Bearer {key}"}
    async with aiohttp.ClientSession(postgres_door.url, headers=headers) as session:
        yield session


@pytest.mark.parametrize("what", ["kill", "pause"])
async def test_without_the_ledger_everybody_is_told_in_time_what_is_known_of_the_message(
    own_postgres: PostgresServer, postgres_http: aiohttp.ClientSession, what: str
) -> None:
    message_id = await _accepted(postgres_http)
    getattr(own_postgres, what)()
    try:
        for path in ("/v1/responses", f"/v1/responses/{message_id}/cancel"):
            watch = Stopwatch()
            async with postgres_http.post(path, json=BACKGROUND) as answer:
                error = (await answer.json())["error"]
            assert (answer.status, error["code"]) == (503, "ledger_unavailable"), error
            assert int(answer.headers["retry-after"]) >= 1
            assert watch.seconds < 30
            assert "127.0.0.1" not in error["message"]
            # A commit that was asked for may have been made; nothing else can have been accepted.
            # A dead server, unlike a frozen one, may be found out before a commit is asked for.
            unknown = "not known" in error["message"]
            assert unknown or "nothing was accepted" in error["message"]
            if what == "pause" or path != "/v1/responses":
                assert unknown is (path == "/v1/responses")
        async with postgres_http.get("/readyz") as answer:
            assert answer.status == 503
            assert (await answer.json())["ledger"] == "down"
    finally:
        own_postgres.resume() if what == "pause" else own_postgres.start()
    await _accepted(postgres_http)


async def _accepted(http: aiohttp.ClientSession) -> str:
    """The id of a message, as soon as a door takes one that is so soon impatient."""
    async with asyncio.timeout(60):
        while True:
            async with http.post("/v1/responses", json=BACKGROUND) as answer:
                if answer.status == 200:
                    return str((await answer.json())["id"])
                assert answer.status == 503
            await asyncio.sleep(0.2)
