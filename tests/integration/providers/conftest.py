"""A scripted provider and the session that calls it, for each test its own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from deploy.scripted_provider.provider import ScriptedProvider
from tests.integration.providers.asking import BuildFor, http_model
from tests.integration.providers.raw_server import RawServer
from workers.providers.building import open_provider_session


@pytest.fixture
async def scripted() -> AsyncIterator[ScriptedProvider]:
    async with ScriptedProvider() as provider:
        yield provider


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_provider_session() as session:
        yield session


@pytest.fixture
async def server() -> AsyncIterator[RawServer]:
    raw = RawServer()
    runner = web.AppRunner(raw.app(), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    raw.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield raw
    await runner.cleanup()


@pytest.fixture
def build_for(server: RawServer, session: aiohttp.ClientSession) -> BuildFor:
    """Builds a provider that asks the raw server."""
    return lambda wire: http_model(session, server.openai_url, wire=wire)
