"""The real clients of OpenAI and Anthropic read what the scripted provider writes."""

from __future__ import annotations

import anthropic
import openai
import pytest

from deploy.scripted_provider.behaviour import Behaviour, Kind
from deploy.scripted_provider.provider import ScriptedProvider

MESSAGES = [{"role": "user", "content": "one two three"}]


@pytest.fixture
def openai_client(scripted: ScriptedProvider) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=scripted.openai_url, api_key="sk-test", max_retries=0)


@pytest.fixture
def anthropic_client(scripted: ScriptedProvider) -> anthropic.AsyncAnthropic:
    return anthropic.AsyncAnthropic(base_url=scripted.url, api_key="sk-test", max_retries=0)


async def test_the_openai_client_reads_a_completion(openai_client: openai.AsyncOpenAI) -> None:
    completion = await openai_client.chat.completions.create(model="m", messages=MESSAGES)

    openai.types.chat.ChatCompletion.model_validate(completion.model_dump(), strict=True)
    assert completion.choices[0].message.content == "You said: one two three"
    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage is not None
    assert (completion.usage.prompt_tokens, completion.usage.completion_tokens) == (3, 5)


async def test_the_openai_client_reads_a_stream(openai_client: openai.AsyncOpenAI) -> None:
    stream = await openai_client.chat.completions.create(
        model="m", messages=MESSAGES, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]

    for chunk in chunks:
        openai.types.chat.ChatCompletionChunk.model_validate(chunk.model_dump(), strict=True)
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == "You said: one two three"
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.total_tokens == 8


async def test_the_openai_client_sees_usage_in_a_stream_only_when_it_asks(
    openai_client: openai.AsyncOpenAI,
) -> None:
    stream = await openai_client.chat.completions.create(model="m", messages=MESSAGES, stream=True)

    assert not [chunk async for chunk in stream if chunk.usage is not None or not chunk.choices]


async def test_the_openai_client_lists_the_model(openai_client: openai.AsyncOpenAI) -> None:
    assert [model.id async for model in openai_client.models.list()] == ["scripted"]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (Kind.RATE_LIMITED, openai.RateLimitError),
        (Kind.SERVER_ERROR, openai.InternalServerError),
        (Kind.UNAUTHORISED, openai.AuthenticationError),
        (Kind.CONTEXT_TOO_LONG, openai.BadRequestError),
        (Kind.DISCONNECT, openai.APIConnectionError),
    ],
)
async def test_the_openai_client_raises_its_own_errors(
    scripted: ScriptedProvider,
    openai_client: openai.AsyncOpenAI,
    kind: Kind,
    expected: type[openai.OpenAIError],
) -> None:
    scripted.script(Behaviour(kind=kind))

    with pytest.raises(expected):
        await openai_client.chat.completions.create(model="m", messages=MESSAGES)


async def test_the_anthropic_client_reads_a_message(
    anthropic_client: anthropic.AsyncAnthropic,
) -> None:
    message = await anthropic_client.messages.create(
        model="m", max_tokens=100, system="Be brief.", messages=MESSAGES
    )

    anthropic.types.Message.model_validate(message.model_dump(), strict=True)
    assert message.content[0].text == "You said: one two three"
    assert message.stop_reason == "end_turn"
    assert (message.usage.input_tokens, message.usage.output_tokens) == (5, 5)


async def test_the_anthropic_client_reads_a_stream(
    anthropic_client: anthropic.AsyncAnthropic,
) -> None:
    async with anthropic_client.messages.stream(
        model="m", max_tokens=4, messages=MESSAGES
    ) as stream:
        text = "".join([piece async for piece in stream.text_stream])
        message = await stream.get_final_message()

    assert text == "You said: one two" == message.content[0].text
    assert message.stop_reason == "max_tokens"
    assert message.usage.output_tokens == 4


@pytest.mark.parametrize(
    ("behave", "expected"),
    [
        (Behaviour(kind=Kind.RATE_LIMITED), anthropic.RateLimitError),
        (Behaviour(kind=Kind.SERVER_ERROR, status=529), anthropic.InternalServerError),
        (Behaviour(kind=Kind.UNAUTHORISED), anthropic.AuthenticationError),
    ],
)
async def test_the_anthropic_client_raises_its_own_errors(
    scripted: ScriptedProvider,
    anthropic_client: anthropic.AsyncAnthropic,
    behave: Behaviour,
    expected: type[anthropic.AnthropicError],
) -> None:
    scripted.script(behave)

    with pytest.raises(expected):
        await anthropic_client.messages.create(model="m", max_tokens=9, messages=MESSAGES)
