"""OpenAI's client with tools and images on both of its APIs, the door, a real worker, a model."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from os import urandom
from struct import pack
from typing import Any
from urllib.parse import urlsplit

import openai
import pytest

from deploy.scripted_provider.behaviour import CalledTool, Kind
from tests.integration.workers.provider_thread import ProviderThread
from tests.integration.workers.stack import Stack
from workers.providers.wire.asking.thoughts import sealed

FUNCTION: dict[str, Any] = {
    "name": "weather",
    "description": "The weather of a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
}
CALL = CalledTool(arguments='{"city":"Oslo"}')
PNG = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADh"
    "gGAWjR9awAAAABJRU5ErkJggg=="
)


def large_png() -> str:
    """An image of half a MB, as a data URL."""
    chunks = ((b"IHDR", bytes(13)), (b"IDAT", urandom(400_000)), (b"IEND", b""))
    png = b"\x89PNG\r\n\x1a\n" + b"".join(
        pack(">I", len(content)) + kind + content + b"sum." for kind, content in chunks
    )
    return f"data:image/png;base64,{b64encode(png).decode()}"


pytestmark = pytest.mark.usefixtures("worker")


async def respond(client: openai.AsyncOpenAI, *, streams: bool, **asked: Any) -> Any:
    asked |= {"model": "auto", "tools": [{"type": "function", **FUNCTION}]}
    if not streams:
        return await client.responses.create(**asked)
    async with client.responses.stream(**asked) as stream:
        return await stream.get_final_response()


async def complete(client: openai.AsyncOpenAI, *, streams: bool, messages: list[Any]) -> Any:
    asked: dict[str, Any] = {
        "model": "auto",
        "messages": messages,
        "tools": [{"type": "function", "function": FUNCTION}],
    }
    if not streams:
        return (await client.chat.completions.create(**asked)).choices[0]
    async with client.chat.completions.stream(**asked) as stream:
        return (await stream.get_final_completion()).choices[0]


@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize("sends_again", [False, True])
async def test_a_tool_is_called_by_a_response_and_its_output_reaches_the_model(
    client: openai.AsyncOpenAI, provider: ProviderThread, streams: bool, sends_again: bool
) -> None:
    question = f"What is the weather, {streams=} {sends_again=}?"
    provider.behave(Kind.ANSWER, contains=question, calls=(CALL,), text="Let me look.", times=1)
    first = await respond(client, input=question, streams=streams)
    assert first.output_text == "Let me look."
    [call] = [item for item in first.output if item.type == "function_call"]
    assert (call.name, call.arguments) == ("weather", '{"city":"Oslo"}')
    said = f"Rain, {streams=} {sends_again=}."
    output = {"type": "function_call_output", "call_id": call.call_id, "output": said}
    if sends_again:
        talk = [{"role": "user", "content": question}, *first.output, output]
        second = await respond(client, input=talk, streams=streams)
    else:
        second = await respond(
            client, input=[output], previous_response_id=first.id, streams=streams
        )
    assert second.status == "completed"
    assert [item.type for item in second.output] == ["message"]
    _, asked = provider.calls(question)
    assert asked.outputs == (said,)
    assert asked.tools == ("weather",)


@pytest.mark.parametrize("streams", [False, True])
async def test_a_tool_is_called_in_chat_and_its_output_reaches_the_model(
    client: openai.AsyncOpenAI, provider: ProviderThread, streams: bool
) -> None:
    question = f"What is the weather in chat, {streams=}?"
    provider.behave(Kind.ANSWER, contains=question, calls=(CALL,), times=1)
    talk: list[Any] = [{"role": "user", "content": question}]
    first = await complete(client, messages=talk, streams=streams)
    assert first.finish_reason == "tool_calls"
    [call] = first.message.tool_calls
    assert (call.function.name, call.function.arguments) == ("weather", '{"city":"Oslo"}')
    said = f"Rain in chat, {streams=}."
    talk += [first.message, {"role": "tool", "tool_call_id": call.id, "content": said}]
    second = await complete(client, messages=talk, streams=streams)
    assert second.finish_reason == "stop"
    _, asked = provider.calls(question)
    assert asked.outputs == (said,)


async def test_an_image_reaches_the_model_on_both(
    client: openai.AsyncOpenAI, provider: ProviderThread
) -> None:
    await client.responses.create(
        model="auto",
        input=[
            {
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "What is on it?"},
                    {"type": "input_image", "image_url": PNG, "detail": "auto"},
                ],
            }
        ],
    )
    await client.chat.completions.create(
        model="auto",
        messages=[
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is on this?"},
                    {"type": "image_url", "image_url": {"url": PNG}},
                ],
            }
        ],
    )
    for question in ("What is on it?", "What is on this?"):
        (call,) = provider.calls(question)
        assert call.images == 1


async def test_a_conversation_goes_on_without_a_thought_that_its_maker_does_not_know_again(
    client: openai.AsyncOpenAI, provider: ProviderThread, stack: Stack
) -> None:
    question = "What did you think?"
    host = urlsplit(provider.url).netloc
    blocks: list[Any] = [{"type": "thinking", "thinking": "Hm.", "signature": "another"}]
    thought = sealed(blocks, by=f"anthropic {host} scripted")
    said: Any = [
        {"role": "user", "content": "Hello"},
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": thought},
        {"role": "assistant", "content": "Hi."},
        {"role": "user", "content": question},
    ]
    response = await client.responses.create(model="auto", input=said)
    assert response.status == "completed"
    refused = stack.providers[0]["kind"] == "anthropic"
    assert len(provider.calls(question)) == 1 + refused


async def test_a_large_image_is_sent_kept_and_told_again_as_it_was(
    client: openai.AsyncOpenAI, provider: ProviderThread
) -> None:
    text = {"type": "input_text", "text": "What is on this large one?"}
    image = {"type": "input_image", "image_url": large_png(), "detail": "auto"}
    said: Any = {"role": "user", "content": [text, image]}
    first = await client.responses.create(model="auto", input=[said])
    # As agents that keep their history send it again, and as the Vercel SDK refers to it.
    kept = (await client.responses.input_items.list(first.id)).data
    for again in (said, {"type": "item_reference", "id": kept[0].id}):
        history: Any = [{"role": "user", "content": "Hello"}, *first.output, again]
        second = await client.responses.create(model="auto", input=history)
        told = (await client.responses.input_items.list(second.id)).data
        assert [part.to_dict() for part in told[0].content] == [text, image]
    assert [part.to_dict() for part in kept[0].content] == [text, image]
    calls = provider.calls("on this large one")
    assert [call.images for call in calls] == [1] * 3


async def test_the_address_of_a_file_goes_to_who_fetches_it_and_is_fetched_by_nobody_here(
    client: openai.AsyncOpenAI, provider: ProviderThread, stack: Stack
) -> None:
    question = "What does it say?"
    asked = []

    async def note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readline())
        writer.close()

    async with await asyncio.start_server(note, "127.0.0.1", 0) as nobody:
        address = f"http://127.0.0.1:{nobody.sockets[0].getsockname()[1]}/a.pdf"
        file = {"type": "input_file", "file_url": address}
        said: Any = [{"role": "user", "content": [{"type": "input_text", "text": question}, file]}]
        response = await client.responses.create(model="auto", input=said)
    if stack.providers[0]["kind"] == "anthropic":
        assert response.status == "completed"
        assert len(provider.calls(question)) == 1
    else:
        assert response.error is not None
        assert "takes files by their content alone" in response.error.message
        assert provider.calls(question) == []
    assert asked == []
