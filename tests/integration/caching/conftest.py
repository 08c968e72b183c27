"""Two workers that share a cache, on each broker; what they ask is counted at the provider."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from shared.answer_cache.housekeeping import Housekeeping
from shared.redis.client import open_redis
from shared.settings import Settings
from tests.integration.conftest import OneMachine
from tests.integration.workers.agent_worker import AgentWorker
from tests.integration.workers.provider_thread import ProviderThread
from tests.integration.workers.road import Road, open_road
from tests.integration.workers.stack import Stack, openai_link
from tests.servers.rabbitmq import RabbitServer

CACHING = {
    "FOREBAY_CACHING__EXACT": "true",
    # Nobody takes a leader for dead that is only slow.
    "FOREBAY_CACHING__FLIGHT_LEASE_SECONDS": "60",
}


@pytest.fixture(scope="module", params=["rabbitmq", "redis"])
def stack(
    request: pytest.FixtureRequest,
    provider: ProviderThread,
    one_machine: OneMachine,
    tmp_path_factory: pytest.TempPathFactory,
) -> Stack:
    rules = tmp_path_factory.mktemp("rules") / "rules.toml"
    rules.write_text('[default]\nanswer = "Later, please."\n')
    links = (
        openai_link(provider.url, "first"),
        {"name": "rules", "kind": "rules", "rules_file": str(rules)},
    )
    stack = one_machine(*links, **CACHING)
    if request.param == "redis":
        return stack
    rabbitmq: RabbitServer = request.getfixturevalue("rabbitmq")
    return replace(stack, broker_url=rabbitmq.vhost_url(rabbitmq.create_vhost()))


@pytest.fixture(scope="module")
def workers(
    stack: Stack, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[AgentWorker, AgentWorker]]:
    """Two that all tests of the file share; leave them running."""
    folder = tmp_path_factory.mktemp("workers")
    pair = AgentWorker(stack, folder), AgentWorker(stack, folder)
    for each in pair:
        each.start(ready=False)
    for each in pair:
        each.wait_until_ready()
    yield pair
    for each in pair:
        each.kill()


@pytest.fixture
async def road(stack: Stack, workers: tuple[AgentWorker, AgentWorker]) -> AsyncIterator[Road]:
    async with open_road(stack) as opened:
        yield opened


@pytest.fixture(scope="module")
def lone_worker(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgentWorker]:
    """One that all tests of the file share; leave it running."""
    started = AgentWorker(stack, tmp_path_factory.mktemp("worker")).start()
    yield started
    started.kill()


@pytest.fixture
async def lone_road(stack: Stack, lone_worker: AgentWorker) -> AsyncIterator[Road]:
    async with open_road(stack) as opened:
        yield opened


@pytest.fixture
async def cache_redis(stack: Stack) -> AsyncIterator[Redis]:
    """A client of the Redis that holds the cache."""
    settings: Settings = stack.settings
    client = open_redis(settings.redis)
    yield client
    await client.aclose()


@pytest.fixture
def housekeeping(cache_redis: Redis) -> Housekeeping:
    return Housekeeping(cache_redis)
