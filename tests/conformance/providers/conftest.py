"""Each provider in its turn, and the servers that it asks."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from deploy.scripted_provider.provider import ScriptedProvider
from shared.settings.providers import ProviderKind, ProviderSettings
from shared.settings.secret import Secret
from tests.conformance.providers.adapters import ADAPTERS, Adapter, Build
from tests.conformance.providers.playing_server import PlayingServer
from workers.providers.building import build_provider
from workers.providers.provider import Provider
from workers.providers.wire.http.connections import ProviderConnections


@pytest.fixture(params=[kind for kind in ProviderKind if kind.is_model])
def adapter(request: pytest.FixtureRequest) -> Adapter:
    return ADAPTERS[request.param]


@pytest.fixture
async def connections() -> AsyncIterator[ProviderConnections]:
    async with ProviderConnections() as connections:
        yield connections


@pytest.fixture
async def scripted() -> AsyncIterator[ScriptedProvider]:
    async with ScriptedProvider() as provider:
        yield provider


@pytest.fixture
async def server() -> AsyncIterator[PlayingServer]:
    async with PlayingServer() as server:
        yield server


@pytest.fixture
def build(adapter: Adapter, scripted: ScriptedProvider, connections: ProviderConnections) -> Build:
    """Builds the provider under test, which asks the scripted server where none is named."""

    def build(root: str = scripted.url, **seconds: float) -> Provider:
        timeouts = {
            f"{name.removesuffix('_seconds')}_timeout_seconds": value
            for name, value in seconds.items()
        }
        settings = ProviderSettings(
            name="model",
            kind=adapter.kind,
            base_url=f"{root}{adapter.base_path}",
            model="small",
            models=("large",),
            api_key=Secret("sk-test"),
            **timeouts,  # type: ignore[arg-type]
        )
        return build_provider(settings, connections)

    return build
