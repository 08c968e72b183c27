"""Without Redis nothing is answered from the store, and nobody waits for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.scripted_provider.behaviour import Kind
from shared.messages.record import MessageRecord
from shared.messages.state import ResponseState
from tests.integration.caching.conftest import CACHING
from tests.integration.caching.telling import cache_report, stored
from tests.integration.workers.agent_worker import AgentWorker
from tests.integration.workers.provider_thread import ProviderThread
from tests.integration.workers.road import Road, eventually, open_road
from tests.integration.workers.stack import Stack, openai_link
from tests.servers.redis import RedisServer

PATIENCE_SECONDS = 25
"""Half of a message's minute is how long it would wait for another's call."""


@pytest.fixture
def lone_stack(
    own_redis: RedisServer, amqp_url: str, migrated_sqlite_url: str, provider: ProviderThread
) -> Stack:
    return Stack(
        broker_url=amqp_url,
        redis_url=own_redis.url,
        ledger_url=migrated_sqlite_url,
        providers=[openai_link(provider.url)],
        extra=CACHING,
    )


@pytest.fixture
async def lone_road(lone_stack: Stack, tmp_path: Path) -> AsyncIterator[Road]:
    worker = await asyncio.to_thread(AgentWorker(lone_stack, tmp_path, hasty=True).start)
    async with open_road(lone_stack) as opened:
        yield opened
    worker.kill()


async def test_a_killed_redis_costs_a_call_and_after_its_return_answers_are_stored_again(
    lone_road: Road, provider: ProviderThread, own_redis: RedisServer
) -> None:
    road = lone_road
    await stored(road, "kept until the crash")
    own_redis.kill()
    began = time.monotonic()
    without = await road.ended(await road.accept("kept until the crash"))
    assert time.monotonic() - began < PATIENCE_SECONDS
    assert (without.state, cache_report(without)) == (ResponseState.COMPLETED, None)
    own_redis.start()

    async def hit() -> MessageRecord | None:
        record = await road.ended(await road.accept("kept until the crash"))
        return record if cache_report(record) else None

    assert (await eventually(hit, "a hit")).output_text == without.output_text


@pytest.mark.parametrize("fate", ["kill", "pause"])
async def test_who_waits_for_another_when_redis_goes_calls_by_itself(
    lone_road: Road, provider: ProviderThread, own_redis: RedisServer, fate: str
) -> None:
    road, question = lone_road, f"waiting while redis is gone: {fate}"
    provider.behave(Kind.HANG, contains=question, times=1)
    leader = await road.accept(question)
    await asyncio.to_thread(provider.wait_for_calls, question)
    follower = await road.accept(question)
    await road.until(follower, ResponseState.IN_PROGRESS)
    getattr(own_redis, fate)()
    ended = await road.ended(follower, seconds=PATIENCE_SECONDS)
    assert (ended.state, cache_report(ended)) == (ResponseState.COMPLETED, None)
    await road.ledger.cancel(leader.id, tenant_id=leader.tenant_id)
