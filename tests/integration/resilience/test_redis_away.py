"""Without Redis every process has breakers of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from deploy.scripted_provider.behaviour import Behaviour, Kind
from deploy.scripted_provider.provider import ScriptedProvider
from shared.clock import SystemClock
from shared.settings.resilience import BreakerSettings
from shared.settings.secret import ServerUrl
from shared.settings.servers import RedisSettings
from tests.integration.resilience.asking_process import PROMPT, breaker_settings, open_chain
from tests.servers.redis import RedisServer
from workers.providers.attempt import ChainResult
from workers.providers.chain import Chain

DEAD = Behaviour(kind=Kind.SERVER_ERROR)


class Fleet:
    """Two processes' chains on one Redis, and the provider they share."""

    def __init__(self, one: Chain, other: Chain, provider: ScriptedProvider) -> None:
        self.one = one
        self.other = other
        self.provider = provider

    async def until_skipped(self, chain: Chain) -> None:
        async with asyncio.timeout(60):
            while not (await ask(chain)).skipped:
                pass

    async def until_answered(self, chain: Chain) -> None:
        async with asyncio.timeout(60):
            while (await ask(chain)).provider != "primary":
                pass


async def ask(chain: Chain) -> ChainResult:
    deadline = SystemClock().now() + timedelta(seconds=50)
    return await chain.answer(PROMPT, deadline=deadline)


@asynccontextmanager
async def opened(
    own_redis: RedisServer, tmp_path: Path, settings: BreakerSettings
) -> AsyncIterator[Fleet]:
    rules = tmp_path / "rules.toml"
    rules.write_text('[default]\nanswer = "Later, please."')
    redis = RedisSettings(url=ServerUrl(own_redis.url))
    async with ScriptedProvider() as provider, AsyncExitStack() as stack:
        one, other = [
            await open_chain(stack, redis, provider.openai_url, str(rules), settings)
            for _ in range(2)
        ]
        yield Fleet(one, other, provider)


@pytest.fixture
async def fleet(own_redis: RedisServer, tmp_path: Path) -> AsyncIterator[Fleet]:
    async with opened(own_redis, tmp_path, breaker_settings(1)) as fleet:
        yield fleet


async def test_an_open_breaker_stays_open_when_redis_dies(
    own_redis: RedisServer, tmp_path: Path
) -> None:
    async with opened(own_redis, tmp_path, breaker_settings(1, open_seconds=60)) as fleet:
        fleet.provider.script(DEAD)
        await fleet.until_skipped(fleet.one)
        own_redis.kill()
        fleet.provider.calls.clear()

        async with asyncio.timeout(40):  # what it would wait is 50 s
            assert (await ask(fleet.one)).skipped == ("primary",)
        assert fleet.provider.calls.count == 0


async def test_each_process_opens_and_closes_its_own(fleet: Fleet, own_redis: RedisServer) -> None:
    own_redis.kill()
    assert (await ask(fleet.other)).provider == "primary"
    fleet.provider.script(DEAD)
    await fleet.until_skipped(fleet.one)
    fleet.provider.reset()

    assert (await ask(fleet.other)).provider == "primary"
    await fleet.until_answered(fleet.one)


async def test_the_fleet_is_one_again_once_redis_is_back(
    fleet: Fleet, own_redis: RedisServer
) -> None:
    own_redis.kill()
    assert (await ask(fleet.one)).provider == "primary"
    own_redis.restart()
    fleet.provider.script(DEAD)
    hearsay = fleet.other.links[0].breaker(PROMPT.model)

    assert hearsay is not None
    async with asyncio.timeout(60):
        while not hearsay.refuses:
            await ask(fleet.one)
