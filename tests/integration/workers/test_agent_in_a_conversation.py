"""OpenAI's client, the door, a real worker: a tool turn is told once, however it is sent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import openai
import pytest

from deploy.scripted_provider.behaviour import CalledTool, Kind
from shared.clock import SystemClock
from shared.messages.tenant import KeyScope
from shared.persistence.engine import open_database
from shared.persistence.tenants import TenantRepository
from tests.integration.conftest import OneMachine
from tests.integration.ingress.running_door import RunningDoor
from tests.integration.workers.provider_thread import ProviderThread
from tests.integration.workers.stack import Stack, openai_link

TOOL: Any = {
    "type": "function",
    "name": "weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    "strict": False,
}

pytestmark = pytest.mark.usefixtures("worker")


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
async def client(stack: Stack, door: RunningDoor) -> AsyncIterator[openai.AsyncOpenAI]:
    """With the key of a new tenant."""
    database = open_database(stack.settings.ledger)
    tenants = TenantRepository(database, SystemClock())
    try:
        tenant = await tenants.named("agents") or await tenants.create("agents")
        key = (await tenants.create_key(tenant, scope=KeyScope.PRODUCER)).key
    finally:
        await database.close()
    async with openai.AsyncOpenAI(api_key=key, base_url=f"{door.url}/v1", max_retries=0) as made:
        yield made


@pytest.mark.parametrize("way", ["references", "items", "previous", "both", "conversation"])
async def test_a_call_and_its_output_reach_the_model_once(
    client: openai.AsyncOpenAI, provider: ProviderThread, way: str
) -> None:
    question, said = f"What is the weather by {way}?", f"Rain, by {way}."
    call = CalledTool(arguments='{"city":"Oslo"}')
    provider.behave(Kind.ANSWER, contains=question, calls=(call,), text="Let me look.", times=1)
    link: dict[str, Any] = {}
    if way == "conversation":
        link["conversation"] = (await client.conversations.create()).id
    asked: Any = {"role": "user", "content": question}
    first = await client.responses.create(input=[asked], tools=[TOOL], **link)
    _, called = first.output
    assert called.type == "function_call"
    references: list[Any] = [{"type": "item_reference", "id": item.id} for item in first.output]
    output = {"type": "function_call_output", "call_id": called.call_id, "output": said}
    if way in {"previous", "both"}:
        link["previous_response_id"] = first.id
    told = {
        "references": [asked, *references, output],
        "items": [asked, *first.output, output],
        "previous": [output],
        "both": [*references, output],
        "conversation": [asked, *first.output, output],
    }
    count = client.responses.input_tokens.count
    counted = await count(input=told[way], tools=[TOOL], **link)
    assert counted == await count(input=told["items"], tools=[TOOL])
    await client.responses.create(input=told[way], tools=[TOOL], **link)
    _, second = provider.calls(question)
    assert second.outputs == (said,)
