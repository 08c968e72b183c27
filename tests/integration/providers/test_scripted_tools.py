"""The real clients of OpenAI and Anthropic are called back by the scripted provider's tools."""

from __future__ import annotations

import anthropic
import openai
import pytest

from deploy.scripted_provider.behaviour import Behaviour, CalledTool
from deploy.scripted_provider.provider import ScriptedProvider

USER = {"role": "user", "content": "And in Oslo?"}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
FUNCTION = {"name": "get_weather", "parameters": SCHEMA}
TOOLS = [{"type": "function", "function": FUNCTION}]
ANTHROPIC_TOOLS = [{"name": "get_weather", "input_schema": SCHEMA}]
ASKED = {"model": "m", "max_tokens": 99, "messages": [USER], "tools": ANTHROPIC_TOOLS}
CALLS = (CalledTool(arguments='{"city":"Oslo"}'), CalledTool("get_time", '{"zone": 1}'))
SAID = [("get_weather", {"city": "Oslo"}), ("get_time", {"zone": 1})]


@pytest.fixture(params=[None, "Let me see."])
def text(request: pytest.FixtureRequest, scripted: ScriptedProvider) -> str | None:
    """What is said beside the calls; a tool's output is answered."""
    scripted.script(Behaviour(text="It rains."), output="rain")
    scripted.script(Behaviour(text=request.param, calls=CALLS), tools=True)
    return request.param


async def test_the_openai_client_reads_calls_and_brings_their_output(
    scripted: ScriptedProvider, text: str | None
) -> None:
    client = openai.AsyncOpenAI(base_url=scripted.openai_url, api_key="sk-test", max_retries=0)
    ask = client.chat.completions
    whole = (await ask.create(model="m", messages=[USER], tools=TOOLS)).choices[0]
    assert (whole.message.content, whole.finish_reason) == (text, "tool_calls")
    calls = [(call.function.name, call.function.arguments) for call in whole.message.tool_calls]
    assert calls == [("get_weather", '{"city":"Oslo"}'), ("get_time", '{"zone": 1}')]

    async with ask.stream(model="m", messages=[USER], tools=TOOLS) as stream:
        read = (await stream.get_final_completion()).choices[0]
    assert (read.message.content or None, read.finish_reason) == (text, "tool_calls")
    assert [(c.function.name, c.function.arguments) for c in read.message.tool_calls] == calls

    outputs = [
        {"role": "tool", "tool_call_id": call.id, "content": f"rain {number}"}
        for number, call in enumerate(whole.message.tool_calls)
    ]
    told = await ask.create(model="m", messages=[USER, whole.message, *outputs], tools=TOOLS)
    assert told.choices[0].message.content == "It rains."
    last = list(scripted.calls)[-1]
    assert (last.content, last.tools) == ("And in Oslo?", ("get_weather",))
    assert last.outputs == ("rain 0", "rain 1")


async def test_the_anthropic_client_reads_calls_and_brings_their_output(
    scripted: ScriptedProvider, text: str | None
) -> None:
    client = anthropic.AsyncAnthropic(base_url=scripted.url, api_key="sk-test", max_retries=0)
    whole = await client.messages.create(**ASKED)
    assert whole.stop_reason == "tool_use"
    assert "".join(block.text for block in whole.content if block.type == "text") == (text or "")
    uses = [block for block in whole.content if block.type == "tool_use"]
    assert [(use.name, use.input) for use in uses] == SAID

    async with client.messages.stream(**ASKED) as stream:
        read = await stream.get_final_message()
    assert [(block.type, block.model_dump().get("input")) for block in read.content] == [
        (block.type, block.model_dump().get("input")) for block in whole.content
    ]

    results = [
        {"type": "tool_result", "tool_use_id": use.id, "content": f"rain {number}"}
        for number, use in enumerate(uses)
    ]
    said = [USER, {"role": "assistant", "content": whole.content}]
    told = await client.messages.create(
        **ASKED | {"messages": [*said, {"role": "user", "content": results}]}
    )
    assert told.content[0].text == "It rains."
    last = list(scripted.calls)[-1]
    assert (last.content, last.tools) == ("And in Oslo?", ("get_weather",))
    assert last.outputs == ("rain 0", "rain 1")


async def test_it_counts_the_images_of_the_last_user_message(scripted: ScriptedProvider) -> None:
    scripted.script(Behaviour(text="Two of them."), images=2)
    chat = openai.AsyncOpenAI(base_url=scripted.openai_url, api_key="sk-test", max_retries=0)
    client = anthropic.AsyncAnthropic(base_url=scripted.url, api_key="sk-test", max_retries=0)
    text = {"type": "text", "text": "What is this?"}
    url = "https://example.org/x.png"
    part = {"type": "image_url", "image_url": {"url": url}}
    block = {"type": "image", "source": {"type": "url", "url": url}}
    for images, said in ((2, "Two of them."), (1, "You said: What is this?")):
        message = {"role": "user", "content": [text, *[part] * images]}
        told = await chat.chat.completions.create(model="m", messages=[message])
        assert told.choices[0].message.content == said
        message = {"role": "user", "content": [text, *[block] * images]}
        told = await client.messages.create(model="m", max_tokens=99, messages=[message])
        assert told.content[0].text == said
