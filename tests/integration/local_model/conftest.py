"""One local model for all tests that only ask it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from shared.settings.providers import ProviderKind, ProviderSettings
from tests.integration.local_model.running_model import RunningModel
from workers.providers.building import build_provider
from workers.providers.provider import Provider
from workers.providers.wire.http.connections import ProviderConnections


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningModel]:
    """Two slots of 512 tokens; leave it running."""
    folder = tmp_path_factory.mktemp("local-model")
    running = RunningModel(folder, context_tokens="512", max_output_tokens="16")
    yield running
    running.kill()


@pytest.fixture
async def connections() -> AsyncIterator[ProviderConnections]:
    async with ProviderConnections() as connections:
        yield connections


@pytest.fixture
def provider(model: RunningModel, connections: ProviderConnections) -> Provider:
    settings = ProviderSettings(
        name="local", kind=ProviderKind.LOCAL, base_url=model.base_url, model="smollm2"
    )
    return build_provider(settings, connections)
