"""A broker that is away costs a message no more than the outage itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from sqlalchemy import select

from shared.messages.state import ResponseState
from shared.persistence.tables import message
from tests.integration.workers.agent_worker import AgentWorker
from tests.integration.workers.provider_thread import ProviderThread
from tests.integration.workers.road import eventually, open_road
from tests.integration.workers.stack import Stack, openai_link
from tests.servers.redis import RedisServer


async def test_what_could_not_be_published_is_not_put_off_for_it(
    own_redis: RedisServer,
    redis_url: str,
    migrated_sqlite_url: str,
    provider: ProviderThread,
    start_worker: Callable[..., AgentWorker],
) -> None:
    stack = Stack(
        broker_url=own_redis.url,
        redis_url=redis_url,
        ledger_url=migrated_sqlite_url,
        providers=[openai_link(provider.url)],
        extra={
            "FOREBAY_LEDGER__WAKE_AFTER_SECONDS": "0.5",
            "FOREBAY_LEDGER__WAKE_AFTER_MAX_SECONDS": "600",
            "FOREBAY_BROKER__PUBLISH_TIMEOUT_SECONDS": "0.5",
        },
    )
    worker = start_worker(stack)
    async with open_road(stack) as road:
        await asyncio.to_thread(own_redis.kill)
        record = await road.accept("Is anybody there?", wake=False)
        seen = worker.log.count("broker unreachable")

        async def has_looked_often() -> bool:
            return worker.log.count("broker unreachable") > seen + 4

        await eventually(has_looked_often, "five looks of the worker at its broker")
        async with road.database.relaxed.connect() as connection:
            woken = select(message.c.wakes).where(message.c.id == record.id)
            assert await connection.scalar(woken) == 0
        await asyncio.to_thread(own_redis.start)
        ended = await road.ended(record)
    assert ended.state is ResponseState.COMPLETED
