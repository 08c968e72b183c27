"""A ground for each test: an empty ledger on either database, a scripted provider of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from deploy.scripted_provider.provider import ScriptedProvider
from shared.clock import SystemClock
from shared.persistence.engine import open_database
from shared.persistence.ledger.message_ledger import MessageLedger
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings
from shared.telemetry.metrics import Metrics
from tests.integration.provider_batches.ground import BatchGround
from workers.providers.wire.http.connections import ProviderConnections


@pytest.fixture
async def ground(migrated_ledger_url: str, redis_client: Redis) -> AsyncIterator[BatchGround]:
    settings = LedgerSettings(url=ServerUrl(migrated_ledger_url), timeout_seconds=60.0)
    database = open_database(settings)
    ledger = MessageLedger(database, settings, SystemClock(), Metrics())
    async with ScriptedProvider() as scripted, ProviderConnections() as connections:
        yield BatchGround(
            database=database,
            ledger=ledger,
            redis=redis_client,
            connections=connections,
            scripted=scripted,
        )
    await ledger.close()
    await database.close()
