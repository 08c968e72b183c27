"""One local model for all tests that only ask it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest

from tests.integration.local_model.running_model import RunningModel
from workers.providers.building import open_provider_session
from workers.providers.local import LocalProvider
from workers.providers.wire.model_choice import ModelChoice


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
def provider(model: RunningModel, session: aiohttp.ClientSession) -> LocalProvider:
    return LocalProvider(
        session, name="local", base_url=model.base_url, models=ModelChoice(default="smollm2")
    )
