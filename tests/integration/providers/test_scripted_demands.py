"""The scripted provider refuses what the real APIs refuse, and calls tools by itself."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from deploy.scripted_provider.behaviour import Behaviour, Kind
from deploy.scripted_provider.provider import ScriptedProvider

USER = {"role": "user", "content": "Hi"}
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}, "more": {}},
    "required": ["city", "days"],
}
FUNCTION = {"name": "weather", "parameters": SCHEMA}
TOOL = {"type": "function", "function": FUNCTION}
OTHER = {"type": "function", "function": {"name": "other"}}
CALL = {"id": "a", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
ASKS = {"role": "assistant", "content": None, "tool_calls": [CALL]}
OUTPUT = {"role": "tool", "tool_call_id": "a", "content": "rain"}
IMAGE = {"type": "image_url", "image_url": {"url": "ftp://x"}}

CHAT: dict[str, tuple[dict[str, Any], str]] = {
    "nothing": ({"messages": []}, "empty array"),
    "an orphan": ({"messages": [USER, OUTPUT]}, "must be a response to a preceeding message"),
    "no output": ({"messages": [USER, ASKS, USER]}, "did not have response messages: a"),
    "the last call": ({"messages": [USER, ASKS]}, "did not have response messages: a"),
    "twice": ({"messages": [USER, ASKS, OUTPUT, OUTPUT]}, "must be a response to a preceeding"),
    "a long id": (
        {"messages": [USER, {**ASKS, "tool_calls": [{**CALL, "id": "x" * 41}]}]},
        "string too long",
    ),
    "a role": ({"messages": [{"role": "tools", "content": "x"}]}, "Supported values are"),
    "no content": ({"messages": [{"role": "user", "content": None}]}, "got null"),
    "a part": ({"messages": [{"role": "user", "content": [{"type": "img"}]}]}, "'img'"),
    "an image": ({"messages": [{"role": "user", "content": [IMAGE]}]}, "image_url"),
    "a choice of nothing": ({"messages": [USER], "tool_choice": "auto"}, "'tools' are specified"),
    "no tools": ({"messages": [USER], "tools": []}, "empty array"),
    "a name": (
        {"messages": [USER], "tools": [{"type": "function", "function": {"name": "a b"}}]},
        "does not match pattern",
    ),
    "a choice": ({"messages": [USER], "tools": [TOOL], "tool_choice": OTHER}, "not found"),
    "a type": ({"messages": [{"role": "user", "content": [1]}]}, "a type that it must not have"),
}
USE = {"type": "tool_use", "id": "a", "name": "weather", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "a", "content": "rain"}
TEXT = {"type": "text", "text": "Hi"}
BUDGET = {"type": "enabled", "budget_tokens": 1024}


def turns(*blocks: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """The user's question, then a turn each."""
    roles = ("assistant", "user")
    said = [{"role": roles[nth % 2], "content": [block]} for nth, block in enumerate(blocks)]
    return {"messages": [USER, *said], "max_tokens": 2000, **fields}


BOTH = {"role": "user", "content": [TEXT, RESULT]}
MESSAGES: dict[str, tuple[dict[str, Any], str]] = {
    "no limit": ({"messages": [USER]}, "max_tokens: Field required"),
    "a field": (turns(seed=1), "seed: Extra inputs are not permitted"),
    "who begins": ({"messages": [{**USER, "role": "assistant"}], "max_tokens": 9}, "first message"),
    "an orphan": (turns(TEXT, RESULT), "unexpected `tool_use_id`"),
    "no result": (turns(USE, TEXT), "ids were found without `tool_result` blocks"),
    "the last call": (turns(USE), "ids were found without `tool_result` blocks"),
    "text before": (
        {"messages": [USER, {"role": "assistant", "content": [USE]}, BOTH], "max_tokens": 9},
        "ids were found without `tool_result` blocks",
    ),
    "an id twice": (turns(USE, RESULT, USE, RESULT), "ids must be unique"),
    "an id": (turns({**USE, "id": "a.b"}), "should match pattern"),
    "an input": (turns({**USE, "input": "{}"}), "should be a valid dictionary"),
    "blank text": (turns({"type": "text", "text": " "}), "non-whitespace"),
    "a blank end": (turns({"type": "text", "text": "Hi "}), "trailing whitespace"),
    "a block": (turns({"type": "img"}), "'img'"),
    "a signature": (turns({"type": "thinking", "thinking": "x", "signature": "y"}), "signature"),
    "a schema": (turns(tools=[{"name": "f", "input_schema": {}}]), "input_schema.type"),
    "a choice of nothing": (turns(tool_choice={"type": "auto"}), "while providing tools"),
    "a budget": (turns(thinking={**BUDGET, "budget_tokens": 9}), "greater than or equal to 1024"),
    "a limit": (turns(thinking=BUDGET, max_tokens=1024), "must be greater than"),
    "no thought": (turns(USE, RESULT, thinking=BUDGET), "must start with a thinking block"),
}


async def asked(url: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    async with aiohttp.ClientSession() as session, session.post(url, json=body) as response:
        return response.status, await response.json()


@pytest.mark.parametrize(("body", "words"), CHAT.values(), ids=CHAT)
async def test_chat_refuses(scripted: ScriptedProvider, body: dict[str, Any], words: str) -> None:
    status, told = await asked(f"{scripted.openai_url}/chat/completions", {"model": "m", **body})
    assert status == 400
    assert words in told["error"]["message"]
    assert [call.behaviour for call in scripted.calls] == ["refused"]


@pytest.mark.parametrize(("body", "words"), MESSAGES.values(), ids=MESSAGES)
async def test_anthropic_refuses(
    scripted: ScriptedProvider, body: dict[str, Any], words: str
) -> None:
    status, told = await asked(f"{scripted.openai_url}/messages", {"model": "m", **body})
    assert status == 400
    assert told["error"]["type"] == "invalid_request_error"
    assert words in told["error"]["message"]


async def test_chat_calls_a_tool_as_its_schema_wants_it_and_answers_with_its_output(
    scripted: ScriptedProvider,
) -> None:
    scripted.script(Behaviour(kind=Kind.TOOLS))
    url, body = f"{scripted.openai_url}/chat/completions", {"model": "m", "tools": [TOOL, OTHER]}

    _, told = await asked(url, {**body, "messages": [USER]})
    message = told["choices"][0]["message"]
    (call,) = message["tool_calls"]
    _, named = await asked(url, {**body, "messages": [USER], "tool_choice": OTHER})
    _, none = await asked(url, {**body, "messages": [USER], "tool_choice": "none"})
    output = {"role": "tool", "tool_call_id": call["id"], "content": "rain"}
    _, end = await asked(url, {**body, "messages": [USER, message, output]})

    assert call["function"] == {"name": "weather", "arguments": '{"city":"Hi","days":1}'}
    assert named["choices"][0]["message"]["tool_calls"][0]["function"]["name"] == "other"
    assert none["choices"][0]["message"]["content"] == "You said: Hi"
    assert end["choices"][0]["message"]["content"] == "rain"


async def test_anthropic_thinks_and_takes_its_thought_back(scripted: ScriptedProvider) -> None:
    scripted.script(Behaviour(kind=Kind.TOOLS, thought="Let me look."))
    tools = [{"name": "weather", "input_schema": SCHEMA}]
    body = {"model": "m", "max_tokens": 2000, "thinking": BUDGET, "tools": tools}

    _, told = await asked(f"{scripted.openai_url}/messages", {**body, "messages": [USER]})
    thought, use = told["content"]
    said = {"role": "assistant", "content": told["content"]}
    result = {"type": "tool_result", "tool_use_id": use["id"], "content": "rain"}
    messages = [USER, said, {"role": "user", "content": [result]}]
    _, end = await asked(f"{scripted.openai_url}/messages", {**body, "messages": messages})

    assert (thought["thinking"], use["input"]) == ("Let me look.", {"city": "Hi", "days": 1})
    assert [block.get("text") for block in end["content"]] == [None, "rain"]
