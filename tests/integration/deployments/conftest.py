"""Three scripted servers of one model, and workers that share a Redis."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from redis.asyncio import Redis

from deploy.scripted_provider.provider import ScriptedProvider
from tests.integration.deployments.fleet import NAMES, Fleet
from tests.integration.patience import PatientSettings
from workers.providers.wire.http.connections import ProviderConnections


@pytest.fixture
async def connections() -> AsyncIterator[ProviderConnections]:
    async with ProviderConnections() as connections:
        yield connections


@pytest.fixture
async def fleet(
    redis_url: str, redis_client: Redis, connections: ProviderConnections, patience: PatientSettings
) -> AsyncIterator[Fleet]:
    async with AsyncExitStack() as stack:
        servers = {name: await stack.enter_async_context(ScriptedProvider()) for name in NAMES}
        yield Fleet(patience(redis_url), redis_client, connections, servers, stack)
