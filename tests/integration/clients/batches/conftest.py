"""One chain for all flows of batches, and the requests in their files."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

import anthropic
import pytest

from tests.integration.conftest import OneMachine
from tests.integration.ingress.running_door import RunningDoor
from tests.integration.workers.provider_thread import ProviderThread
from tests.integration.workers.stack import Stack, openai_link

T = TypeVar("T")
PATIENCE_SECONDS = 60


@pytest.fixture(scope="module")
def stack(one_machine: OneMachine, provider: ProviderThread) -> Stack:
    return one_machine(openai_link(provider.url))


@pytest.fixture
async def anthropics(door: RunningDoor, key: str) -> AsyncIterator[anthropic.AsyncAnthropic]:
    async with anthropic.AsyncAnthropic(api_key=key, base_url=door.url, max_retries=0) as made:
        yield made


def request(custom_id: str, text: str, *, url: str = "/v1/responses", **body: Any) -> bytes:
    """A line of a file."""
    said = "input" if url == "/v1/responses" else "messages"
    asked = {"model": "auto", said: [{"role": "user", "content": text}], **body}
    line = {"custom_id": custom_id, "method": "POST", "url": url, "body": asked}
    return json.dumps(line).encode() + b"\n"


async def once(look: Callable[[], Awaitable[T]], is_so: Callable[[T], bool]) -> T:
    """What is seen as soon as it is so."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            if is_so(seen := await look()):
                return seen
            await asyncio.sleep(0.05)
