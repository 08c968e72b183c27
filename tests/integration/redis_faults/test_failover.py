"""Redis on another server, under the same address: what is asked next is asked there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ReadOnlyError

from shared.clock import SystemClock
from shared.errors import BrokerUnavailable, RedisRefused
from shared.messages.lane import Lane, WakeUp
from shared.queueing.redis_lists.publisher import RedisPublisher
from shared.redis.client import open_redis
from shared.redis.guarded import GuardedRedis
from shared.redis.scripts import ScriptCall, lua_script
from shared.settings.secret import ServerUrl
from shared.settings.servers import BrokerSettings, RedisSettings
from shared.telemetry.metrics import Metrics
from tests.servers.cut_line import CutLine
from tests.servers.redis import RedisServer

WRITE = lua_script(b"return redis.call('INCRBY', KEYS[1], ARGV[1])")
WAKE_UP = WakeUp("resp_1", Lane.STANDARD, datetime(2030, 1, 1, tzinfo=UTC), {})
PATIENCE_SECONDS = 30.0
CALLS = [ScriptCall(("forebay:number",), (1,))] * 3


@pytest.fixture
def other_redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture
def line(own_redis: RedisServer) -> Iterator[CutLine]:
    """The address of whichever is the primary."""
    with CutLine(own_redis.port) as line:
        yield line


@pytest.fixture
async def client(line: CutLine) -> AsyncIterator[Redis]:
    url = ServerUrl(f"redis://127.0.0.1:{line.port}/0")
    opened = open_redis(RedisSettings(url=url, timeout_seconds=PATIENCE_SECONDS))
    yield opened
    await opened.aclose()


def fail_over(line: CutLine, old: RedisServer, new: RedisServer) -> None:
    """The old one lives on as a replica, and keeps whoever is connected to it."""
    assert old.command("REPLICAOF", "127.0.0.1", str(new.port)) == b"+OK\r\n"
    line.lead_to(new.port)


async def test_scripts_follow_to_the_new_primary_and_are_loaded_there(
    line: CutLine, client: Redis, own_redis: RedisServer, other_redis: RedisServer
) -> None:
    guarded = GuardedRedis(client, SystemClock(), timeout_seconds=PATIENCE_SECONDS)
    assert await guarded.run(WRITE, CALLS) == [1, 2, 3]
    fail_over(line, own_redis, other_redis)

    refused = await guarded.run(WRITE, CALLS)

    assert refused is not None
    assert {type(outcome) for outcome in refused} == {RedisRefused}
    assert await guarded.run(WRITE, CALLS) == [1, 2, 3], "of a Redis that is empty"
    await guarded.close()


async def test_commands_and_pipelines_follow_to_the_new_primary(
    line: CutLine, client: Redis, own_redis: RedisServer, other_redis: RedisServer
) -> None:
    await client.set("forebay:name", "before")
    fail_over(line, own_redis, other_redis)
    with pytest.raises(ReadOnlyError):
        await client.set("forebay:name", "refused")
    async with client.pipeline(transaction=False) as pipe:
        assert await pipe.set("forebay:name", "after").get("forebay:name").execute() == [
            True,
            b"after",
        ]


async def test_a_pipeline_that_a_replica_refuses_is_an_error_and_no_mix_of_replies(
    line: CutLine, client: Redis, own_redis: RedisServer, other_redis: RedisServer
) -> None:
    await client.ping()
    fail_over(line, own_redis, other_redis)
    with pytest.raises((ReadOnlyError, RedisConnectionError)):
        async with client.pipeline(transaction=False) as pipe:
            await pipe.set("forebay:name", "refused").get("forebay:name").execute()
    assert await client.get("forebay:name") is None
    assert await client.set("forebay:name", "after")


async def test_wake_ups_follow_to_the_new_primary(
    line: CutLine, own_redis: RedisServer, other_redis: RedisServer
) -> None:
    url = ServerUrl(f"redis://127.0.0.1:{line.port}/0")
    broker = BrokerSettings(url=url, publish_timeout_seconds=PATIENCE_SECONDS)
    publisher = RedisPublisher(broker, Metrics())
    await publisher.start()
    await publisher.publish([WAKE_UP])
    fail_over(line, own_redis, other_redis)
    with pytest.raises(BrokerUnavailable, match="read only"):
        await publisher.publish([WAKE_UP])
    await publisher.publish([WAKE_UP])
    await publisher.close()
    assert other_redis.command("LLEN", "agent.standard") == b":1\r\n"
