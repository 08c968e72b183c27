"""One tenant alone gets the whole fleet, however little of its backlog is kept in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from shared.clock import ManualClock
from shared.persistence.engine import open_database
from shared.redis.guarded import GuardedRedis
from shared.settings import Settings
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings
from tests.integration.dispatch.scene import Scene

SLOTS = 200
ROOM = 300
"""With the half more that is sent ahead."""


@pytest.fixture
async def scene(migrated_sqlite_url: str, redis_client: Redis) -> AsyncIterator[Scene]:
    settings = LedgerSettings(url=ServerUrl(migrated_sqlite_url), timeout_seconds=60.0)
    database = open_database(settings)
    redis = GuardedRedis(redis_client, ManualClock(), timeout_seconds=60.0)
    made = Scene(database, Settings(ledger=settings), redis, slots=SLOTS)
    yield made
    await made.ledger.close()
    await redis.close()
    await database.close()


async def test_each_release_reads_on_for_as_many_as_went(scene: Scene) -> None:
    await scene.claims.renew([])
    await asyncio.gather(*(scene.hold("alone") for _ in range(ROOM + 1)))
    await scene.term.begin()
    await scene.term.each_second()
    went = []
    for _ in range(4):
        await scene.term.release()
        went.append(len(scene.publisher.published))

    assert went == [8, 8 + 64, 8 + 64 + 128, ROOM]
