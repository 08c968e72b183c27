"""A Redis that answers and refuses to write: full, a replica, or without permission."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product

import pytest

from shared.errors import RedisRefused
from shared.identifiers import new_response_id
from shared.messages.state import ResponseState
from shared.redis.client import open_redis
from shared.replies.reply_stream import ReplyStream
from tests.integration.patience import patient_settings
from tests.integration.workers.provider_thread import ProviderThread
from tests.integration.workers.road import open_road
from tests.integration.workers.stack import Stack, openai_link
from tests.servers.redis import RedisServer
from workers.building.runtime import open_runtime
from workers.pipeline import TurnOutcome

# What each way of refusing begins and ends with.
FULL = ("CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0")
DEMOTED = ("REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE")
FORBIDDEN = ("ACL SETUSER default -@write", "ACL SETUSER default +@all")
EVERY_WAY = (FULL, DEMOTED, FORBIDDEN)


@contextmanager
def refusing(redis: RedisServer, way: tuple[str, str]) -> Iterator[None]:
    begin, end = way
    assert redis.command(*begin.split()) == b"+OK\r\n"
    yield
    assert redis.command(*end.split()) == b"+OK\r\n"


async def test_every_outcome_of_a_redis_that_refuses_writes_is_an_error_of_ours(
    own_redis: RedisServer,
) -> None:
    redis = open_redis(patient_settings(own_redis.url))
    replies = ReplyStream(redis, ttl_seconds=60)
    for way in EVERY_WAY:
        with refusing(own_redis, way):
            with pytest.raises(RedisRefused):
                await replies.append(new_response_id(), 1, [b"{}"])
            assert await replies.read("resp_1", after=-1) == [], "what needs no write goes on"
    assert await replies.append(new_response_id(), 1, [b"{}"])
    await replies.close()
    await redis.aclose()


async def test_a_redis_that_refuses_writes_costs_a_turn_nothing_but_its_events(
    own_redis: RedisServer, redis_url: str, migrated_sqlite_url: str, provider: ProviderThread
) -> None:
    stack = Stack(
        broker_url=redis_url,
        redis_url=own_redis.url,
        ledger_url=migrated_sqlite_url,
        providers=[openai_link(provider.url)],
    )
    async with open_road(stack) as road, open_runtime(stack.settings) as pipeline:
        for way, is_streamed in product(EVERY_WAY, (True, False)):
            with refusing(own_redis, way):
                body = {"stream": is_streamed}
                record = await road.accept("refused and answered", wake=False, body=body)
                assert await pipeline.run(record.id) is TurnOutcome.ANSWERED
            ended = await road.ended(record)
            assert (ended.state, ended.attempt) == (ResponseState.COMPLETED, 1)
