"""Anthropic's client, the door, a real worker, and a provider of either wire."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import anthropic
import pytest

from deploy.scripted_provider.behaviour import CalledTool, Kind
from tests.integration.ingress.running_door import RunningDoor
from tests.integration.workers.provider_thread import ProviderThread
from tests.integration.workers.stack import Stack

TOOL: Any = {
    "name": "weather",
    "description": "The weather of a city.",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
}

pytestmark = pytest.mark.usefixtures("worker")


@pytest.fixture
async def client(door: RunningDoor, key: str) -> AsyncIterator[anthropic.AsyncAnthropic]:
    async with anthropic.AsyncAnthropic(api_key=key, base_url=door.url, max_retries=0) as made:
        yield made


async def ask(
    client: anthropic.AsyncAnthropic, messages: list[Any], *, streams: bool
) -> anthropic.types.Message:
    asked: dict[str, Any] = {
        "model": "auto",
        "max_tokens": 500,
        "system": "Be brief.",
        "messages": messages,
        "tools": [TOOL],
    }
    if not streams:
        return await client.messages.create(**asked)
    async with client.messages.stream(**asked) as stream:
        return await stream.get_final_message()


@pytest.mark.parametrize("streams", [False, True])
async def test_a_tool_is_called_and_its_output_reaches_the_model(
    client: anthropic.AsyncAnthropic, provider: ProviderThread, streams: bool
) -> None:
    question = f"What is the weather, {streams=}?"
    call = CalledTool(arguments='{"city":"Oslo"}')
    provider.behave(Kind.ANSWER, contains=question, calls=(call,), text="Let me look.", times=1)
    talk: list[Any] = [{"role": "user", "content": question}]
    first = await ask(client, talk, streams=streams)
    assert first.stop_reason == "tool_use"
    text, use = first.content
    assert text.type == "text"
    assert text.text == "Let me look."
    assert use.type == "tool_use"
    assert (use.name, use.input) == ("weather", {"city": "Oslo"})
    assert first.usage.output_tokens > 0
    said = f"Rain, {streams=}."
    result = {"type": "tool_result", "tool_use_id": use.id, "content": said}
    talk += [
        {"role": "assistant", "content": first.content},
        {"role": "user", "content": [result]},
    ]
    second = await ask(client, talk, streams=streams)
    assert second.stop_reason == "end_turn"
    _, asked = provider.calls(question)
    assert asked.outputs == (said,)
    assert (asked.instructions, asked.tools) == ("Be brief.", ("weather",))


async def test_an_image_and_a_document_reach_the_model(
    client: anthropic.AsyncAnthropic, provider: ProviderThread
) -> None:
    png = (
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5E"
        "rkJggg=="
    )
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": png}}
    plain = {"type": "text", "media_type": "text/plain", "data": "A page."}
    asked = [image, {"type": "document", "source": plain}, {"type": "text", "text": "What is it?"}]
    message = await ask(client, [{"role": "user", "content": asked}], streams=False)
    assert message.stop_reason == "end_turn"
    (call,) = provider.calls("What is it?")
    assert call.images == 1
    assert "A page." in call.content


async def test_what_may_be_kept_reaches_a_model_that_keeps_it_and_is_told_of_another(
    client: anthropic.AsyncAnthropic, provider: ProviderThread, stack: Stack
) -> None:
    question = "What may be kept?"
    kept: Any = {"cache_control": {"type": "ephemeral"}}
    asked: Any = {
        "model": "auto",
        "max_tokens": 500,
        "system": [{"type": "text", "text": "Be brief.", **kept}],
        "messages": [{"role": "user", "content": [{"type": "text", "text": question, **kept}]}],
        "tools": [{**TOOL, **kept}],
    }
    answer = await client.messages.create(**asked, **kept)
    [call] = provider.calls(question)
    told = (answer.to_dict().get("turn") or {}).get("dropped")  # type: ignore[attr-defined]
    if stack.providers[0]["kind"] == "anthropic":
        assert (call.breakpoints, told) == (3, None)
    else:
        assert (call.breakpoints, told) == (0, ["cache_control"])
    asked["messages"] = [{"role": "user", "content": [{"type": "text", "text": "a", **kept}] * 3}]
    with pytest.raises(anthropic.BadRequestError, match="more than 4"):
        await client.messages.create(**asked)


async def test_top_k_is_told_to_a_model_that_knows_it_and_to_no_other(
    client: anthropic.AsyncAnthropic, provider: ProviderThread, stack: Stack
) -> None:
    question = "How many of the best?"
    asked: Any = {
        "model": "auto",
        "max_tokens": 500,
        "extra_body": {"top_k": 4},
        "messages": [{"role": "user", "content": question}],
    }
    if stack.providers[0]["kind"] == "anthropic":
        assert (await client.messages.create(**asked)).stop_reason == "end_turn"
        assert [call.top_k for call in provider.calls(question)] == [4]
    else:
        with pytest.raises(anthropic.APIStatusError, match="'top_k'"):
            await client.messages.create(**asked)
        assert provider.calls(question) == []
