"""A scripted provider and the session that calls it, for each test its own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from deploy.scripted_provider.provider import ScriptedProvider
from tests.integration.providers.asking import Build, BuildFor, HttpProvider
from tests.integration.providers.raw_server import RawServer
from workers.providers.anthropic import AnthropicProvider
from workers.providers.building import open_provider_session
from workers.providers.openai_compatible import OpenAICompatibleProvider
from workers.providers.wire.model_choice import ModelChoice
from workers.providers.wire.timeouts import Timeouts


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


@pytest.fixture(params=["openai", "anthropic"])
def build(
    request: pytest.FixtureRequest, scripted: ScriptedProvider, session: aiohttp.ClientSession
) -> Build:
    """Builds the provider under test, each HTTP provider in its turn."""

    def build_openai(url: str = scripted.openai_url, **timeouts: float) -> HttpProvider:
        return OpenAICompatibleProvider(
            session,
            name="model",
            base_url=url,
            models=ModelChoice(default="small", served=("large",)),
            api_key="sk-test",
            timeouts=Timeouts(**timeouts),
        )

    def build_anthropic(url: str = scripted.url, **timeouts: float) -> HttpProvider:
        return AnthropicProvider(
            session,
            name="model",
            base_url=url,
            models=ModelChoice(default="small", served=("large",)),
            api_key="sk-test",
            timeouts=Timeouts(**timeouts),
        )

    return build_openai if request.param == "openai" else build_anthropic


@pytest.fixture
def build_for(server: RawServer, session: aiohttp.ClientSession) -> BuildFor:
    """Builds a provider that asks the raw server."""

    def build(wire: str) -> HttpProvider:
        models = ModelChoice(default="m")
        if wire == "openai":
            return OpenAICompatibleProvider(
                session, name="model", base_url=server.openai_url, models=models
            )
        return AnthropicProvider(session, name="model", base_url=server.url, models=models)

    return build
