"""A scripted provider and the connections that calls it, for each test its own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import anthropic
import openai
import pytest
from aiohttp import web

from deploy.scripted_provider.provider import ScriptedProvider
from tests.integration.providers.asking import BuildFor, http_model
from tests.integration.providers.raw_server import RawServer
from workers.providers.wire.http.connections import ProviderConnections


@pytest.fixture
async def scripted() -> AsyncIterator[ScriptedProvider]:
    async with ScriptedProvider() as provider:
        yield provider


@pytest.fixture
async def connections() -> AsyncIterator[ProviderConnections]:
    async with ProviderConnections() as connections:
        yield connections


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
def build_for(server: RawServer, connections: ProviderConnections) -> BuildFor:
    """Builds a provider that asks the raw server."""
    return lambda wire: http_model(connections, server.openai_url, wire=wire)


@pytest.fixture
async def gpt(scripted: ScriptedProvider) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(
        api_key="k", base_url=scripted.openai_url, max_retries=0
    ) as client:
        yield client


@pytest.fixture
async def claude(scripted: ScriptedProvider) -> AsyncIterator[anthropic.AsyncAnthropic]:
    async with anthropic.AsyncAnthropic(
        api_key="k", base_url=scripted.url, max_retries=0
    ) as client:
        yield client
