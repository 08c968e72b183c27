"""One local model for all tests that only ask it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest

from shared.settings.providers import ProviderKind, ProviderSettings
from tests.integration.local_model.running_model import RunningModel
from workers.providers.building import build_provider, open_provider_session
from workers.providers.provider import Provider


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningModel]:
    """Two slots of 512 tokens; leave it running."""
    folder = tmp_path_factory.mktemp("local-model")
    running = RunningModel(folder, context_tokens="512", max_output_tokens="16")
    yield running
    running.kill()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_provider_session() as session:
        yield session


@pytest.fixture
def provider(model: RunningModel, session: aiohttp.ClientSession) -> Provider:
    settings = ProviderSettings(
        name="local", kind=ProviderKind.LOCAL, base_url=model.base_url, model="smollm2"
    )
    return build_provider(settings, session)
