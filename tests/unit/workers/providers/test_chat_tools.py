"""Tools in the words of OpenAI's chat, and of servers that know fewer of them."""

from __future__ import annotations

from typing import Any

import pytest

from shared.messages.item import MessageItem, Role
from shared.messages.tool import FunctionTool, ToolChoice
from tests.conformance.providers.official_types import CHAT, as_official
from workers.providers.openai_compatible import ChatCompletions
from workers.providers.provider import Prompt

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
WEATHER = FunctionTool("weather", "Tells it.", SCHEMA, strict=True)
TIME = FunctionTool("time")


def sent(*, is_openai: bool = False, **asked: Any) -> dict[str, Any]:
    prompt = Prompt(items=(MessageItem(Role.USER, "Is it raining?"),), **asked)
    return as_official(CHAT, ChatCompletions(is_openai=is_openai).request_body(prompt, "m"))


def test_tools_are_told_with_all_that_they_say() -> None:
    body = sent(tools=(WEATHER, TIME), parallel_tool_calls=False)

    weather = {"name": "weather", "description": "Tells it.", "parameters": SCHEMA, "strict": True}
    time = {"name": "time", "parameters": {"type": "object", "properties": {}}}
    assert body["tools"] == [
        {"type": "function", "function": weather},
        {"type": "function", "function": time},
    ]
    assert body["parallel_tool_calls"] is False
    assert "tool_choice" not in body


ONE = {"type": "function", "function": {"name": "time"}}


@pytest.mark.parametrize(
    ("choice", "told", "told_elsewhere", "tools_elsewhere"),
    [
        (ToolChoice("auto"), "auto", "auto", ["weather", "time"]),
        (ToolChoice("none"), "none", "none", ["weather", "time"]),
        (ToolChoice("required"), "required", "required", ["weather", "time"]),
        (ToolChoice("required", ["time"]), ONE, ONE, ["time"]),
        (
            ToolChoice("auto", ["time"]),
            {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [ONE]}},
            "auto",
            ["time"],
        ),
        (ToolChoice("none", ["time"]), "none", "none", ["time"]),
    ],
)
def test_a_choice_is_told_in_words_that_the_server_knows(
    choice: ToolChoice, told: object, told_elsewhere: object, tools_elsewhere: list[str]
) -> None:
    asked = sent(tools=(WEATHER, TIME), tool_choice=choice, is_openai=True)
    elsewhere = sent(tools=(WEATHER, TIME), tool_choice=choice)

    assert (asked["tool_choice"], len(asked["tools"])) == (told, 2)
    assert elsewhere["tool_choice"] == told_elsewhere
    assert [tool["function"]["name"] for tool in elsewhere["tools"]] == tools_elsewhere


def test_a_choice_among_no_tools_is_not_told() -> None:
    body = sent(tool_choice=ToolChoice("none"), parallel_tool_calls=False)

    assert body.keys() == {"model", "messages", "stream", "stream_options"}
