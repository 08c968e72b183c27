"""OpenAI's client, the door, a real worker: a tool turn is told once, however it is sent."""

from __future__ import annotations

from typing import Any

import openai
import pytest

from deploy.scripted_provider.behaviour import CalledTool, Kind
from tests.integration.workers.provider_thread import ProviderThread

TOOL: Any = {
    "type": "function",
    "name": "weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    "strict": False,
}

pytestmark = pytest.mark.usefixtures("worker")


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
