"""The door, a real worker, and a provider of either wire, for the official clients."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import openai
import pytest

from tests.integration.conftest import OneMachine
from tests.integration.ingress.new_key import new_key
from tests.integration.ingress.running_door import RunningDoor
from tests.integration.workers.provider_thread import ProviderThread
from tests.integration.workers.stack import Stack, openai_link


@pytest.fixture(scope="module", params=["anthropic", "openai_compatible"])
def stack(
    request: pytest.FixtureRequest, one_machine: OneMachine, provider: ProviderThread
) -> Stack:
    return one_machine(openai_link(provider.url, kind=request.param))


@pytest.fixture(scope="module")
def door(stack: Stack) -> Iterator[RunningDoor]:
    with RunningDoor(stack.settings) as running:
        yield running


@pytest.fixture
async def key(stack: Stack) -> str:
    return await new_key(stack.settings.ledger)


@pytest.fixture
async def client(door: RunningDoor, key: str) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(api_key=key, base_url=f"{door.url}/v1", max_retries=0) as made:
        yield made
