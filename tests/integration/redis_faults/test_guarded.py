"""A Redis behind its circuit: noticed once when it is away, and used again when it is back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from shared.clock import SystemClock
from shared.errors import RedisRefused, RedisUnavailable
from shared.redis.client import open_redis
from shared.redis.guarded import GuardedRedis
from shared.redis.scripts import ScriptCall, load_script, lua_script
from shared.settings.secret import ServerUrl
from shared.settings.servers import RedisSettings
from tests.servers.redis import RedisServer

FLIGHT = load_script("shared.answer_cache", "flight.lua")
HASTY_SECONDS = 2.5


def call(owner: str) -> ScriptCall:
    return ScriptCall(("forebay:flight",), (owner, "renew", 1_000, "channel"))


class Guarded:
    """What was opened, and how often Redis was back."""

    def __init__(self, server: RedisServer, *, timeout_seconds: float = 60.0) -> None:
        self.client = open_redis(RedisSettings(url=ServerUrl(server.url), timeout_seconds=60.0))
        self.is_back = asyncio.Event()
        self.redis = GuardedRedis(
            self.client,
            SystemClock(),
            timeout_seconds=timeout_seconds,
            on_close=self.is_back.set,
        )

    async def until_answered(self) -> None:
        async with asyncio.timeout(60):
            while await self.redis.run(FLIGHT, [call("a")]) is None:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    async def close(self) -> None:
        await self.redis.close()
        await self.client.aclose()


@pytest.fixture
async def guarded(own_redis: RedisServer) -> AsyncIterator[Guarded]:
    opened = Guarded(own_redis)
    yield opened
    await opened.close()


async def test_a_frozen_redis_costs_one_time_out_and_nobody_after_it(
    own_redis: RedisServer,
) -> None:
    guarded = Guarded(own_redis, timeout_seconds=HASTY_SECONDS)
    await guarded.until_answered()
    own_redis.pause()
    assert await guarded.redis.run(FLIGHT, [call("a")]) is None
    with pytest.raises(StopIteration) as ended:
        guarded.redis.run(FLIGHT, [call("a")]).send(None)
    assert ended.value.value is None, "and for that it waited for nothing"
    with pytest.raises(RedisUnavailable):
        async with guarded.redis.asking() as redis:
            await redis.ping()
    guarded.is_back.clear()
    own_redis.resume()
    await guarded.until_answered()
    assert guarded.is_back.is_set()
    await guarded.close()


async def test_a_command_that_fails_is_an_error_of_ours_and_opens_the_circuit(
    own_redis: RedisServer, guarded: Guarded
) -> None:
    async with guarded.redis.asking() as redis:
        assert await redis.ping()
    own_redis.kill()
    with pytest.raises(RedisUnavailable):
        async with guarded.redis.asking() as redis:
            await redis.ping()
    assert guarded.redis.is_away()


async def test_what_redis_refuses_to_one_call_says_nothing_about_the_others(
    guarded: Guarded,
) -> None:
    await guarded.client.lpush("forebay:list", "no text")
    other = ScriptCall(("forebay:list",), ("a", "renew", 1_000, "channel"))
    outcomes = await guarded.redis.run(FLIGHT, [other, call("a")])
    assert outcomes is not None
    assert isinstance(outcomes[0], RedisRefused)
    assert not isinstance(outcomes[1], BaseException)
    assert not guarded.redis.is_away()


async def test_a_call_that_was_sent_by_half_is_no_part_of_what_is_asked_next(
    own_redis: RedisServer,
) -> None:
    client = open_redis(RedisSettings(url=ServerUrl(own_redis.url), timeout_seconds=30.0))
    echo = lua_script(b"redis.call('INCR', KEYS[1]) return ARGV[1]")
    large = ScriptCall(("forebay:half",), (b"x" * 40_000_000,))
    assert await echo.call(client, ScriptCall(("forebay:calls",), ("before",))) == b"before"
    own_redis.pause()
    with pytest.raises(RedisUnavailable):
        await echo.call_all(client, [large], seconds=0.2)
    own_redis.resume()
    calls = [ScriptCall(("forebay:calls",), (word,)) for word in ("one", "two")]
    assert await echo.call_all(client, calls) == [b"one", b"two"]
    assert await client.get("forebay:half") is None
    await client.aclose()
