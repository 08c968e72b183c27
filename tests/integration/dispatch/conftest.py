"""What tests of parking and of waits begin with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from redis.asyncio import Redis

from shared.breakers.board import BreakerBoard
from shared.breakers.fleet import BreakerFleet
from shared.clock import ManualClock
from shared.dispatch.flows import FlowBoard
from shared.persistence.engine import open_database
from shared.redis.guarded import GuardedRedis
from shared.settings import Settings
from shared.settings.resilience import BreakerSettings
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings
from shared.telemetry.metrics import Metrics
from workers.providers.availability import ModelAvailability

from .parking_scene import PROVIDERS, ParkingScene


@pytest.fixture
async def scene(migrated_sqlite_url: str, redis_client: Redis) -> AsyncIterator[ParkingScene]:
    ledger = LedgerSettings(url=ServerUrl(migrated_sqlite_url), timeout_seconds=60.0)
    clock, breakers = ManualClock(), BreakerSettings(open_seconds=600.0)
    async with AsyncExitStack() as opened:
        database = open_database(ledger)
        opened.push_async_callback(database.close)
        guarded = GuardedRedis(redis_client, clock)
        opened.push_async_callback(guarded.close)
        fleet = BreakerFleet(redis_client, breakers, clock)
        opened.push_async_callback(fleet.close)
        board = BreakerBoard(fleet, breakers, metrics=Metrics(), clock=clock)
        made = ParkingScene(
            redis_client,
            fleet,
            FlowBoard(guarded),
            database=database,
            settings=Settings(ledger=ledger, providers=PROVIDERS, breakers=breakers),
            redis=guarded,
            models=ModelAvailability(PROVIDERS, board, clock),
        )
        opened.push_async_callback(made.ledger.close)
        await made.claims.renew([])
        yield made
