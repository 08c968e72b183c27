"""Tools and effort in Anthropic's words, and what a model's server turns out not to know."""

from __future__ import annotations

from typing import Any

import pytest

from shared.messages.item import FunctionCall, FunctionCallOutput, Item, MessageItem, Role
from shared.messages.tool import FunctionTool, ReasoningOptions, ToolChoice
from tests.conformance.providers.official_types import MESSAGES, as_official
from workers.providers.anthropic import AnthropicMessages
from workers.providers.failures import UnknownFieldError
from workers.providers.provider import Prompt

SCHEMA = {"properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = FunctionTool("weather", "Tells it.", SCHEMA, strict=True)
TIME = FunctionTool("time", strict=False)
ASKED = MessageItem(Role.USER, "Is it raining?")
HIGH = ReasoningOptions(effort="high")
REFUSED_THINKING = (
    '"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive" and '
    '"output_config.effort" to control thinking behavior.'
)


@pytest.fixture
def wire() -> AnthropicMessages:
    return AnthropicMessages(default_output_tokens=4_000)


def sent(wire: AnthropicMessages, *items: Item, **asked: Any) -> dict[str, Any]:
    return as_official(MESSAGES, wire.request_body(Prompt(items=items or (ASKED,), **asked), "m"))


def test_tools_are_told_with_an_objects_schema(wire: AnthropicMessages) -> None:
    body = sent(wire, tools=(WEATHER, TIME))

    assert body["tools"] == [
        {
            "name": "weather",
            "description": "Tells it.",
            "input_schema": {"type": "object", **SCHEMA},
            "strict": True,
        },
        {"name": "time", "input_schema": {"type": "object"}},
    ]
    assert "tool_choice" not in body


@pytest.mark.parametrize(
    ("choice", "told", "names"),
    [
        (ToolChoice("auto"), {"type": "auto"}, ["weather", "time"]),
        (ToolChoice("none"), {"type": "none"}, ["weather", "time"]),
        (ToolChoice("required"), {"type": "any"}, ["weather", "time"]),
        (ToolChoice("required", ["time"]), {"type": "tool", "name": "time"}, ["time"]),
        (ToolChoice("auto", ["time"]), {"type": "auto"}, ["time"]),
        (ToolChoice("required", ["time", "weather"]), {"type": "any"}, ["weather", "time"]),
    ],
)
def test_each_choice_has_its_word(
    wire: AnthropicMessages, choice: ToolChoice, told: dict[str, object], names: list[str]
) -> None:
    body = sent(wire, tools=(WEATHER, TIME), tool_choice=choice)
    alone = sent(wire, tools=(WEATHER, TIME), tool_choice=choice, parallel_tool_calls=False)

    assert body["tool_choice"] == told
    assert [tool["name"] for tool in body["tools"]] == names
    more = {} if choice.mode == "none" else {"disable_parallel_tool_use": True}
    assert alone["tool_choice"] == {**told, **more}


def test_one_call_at_a_time_is_asked_for_without_a_choice(wire: AnthropicMessages) -> None:
    body = sent(wire, tools=(TIME,), parallel_tool_calls=False)
    assert body["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}


def test_calls_of_the_past_have_their_tools_told_and_closed(wire: AnthropicMessages) -> None:
    body = sent(wire, ASKED, FunctionCall("a", "time", "{}"), FunctionCallOutput("a", "noon"))

    assert body["tools"] == [{"name": "time", "input_schema": {"type": "object"}}]
    assert body["tool_choice"] == {"type": "none"}


@pytest.mark.parametrize(
    ("effort", "limit", "told"),
    [
        (None, None, None),
        ("none", None, {"type": "disabled"}),
        ("minimal", None, {"type": "enabled", "budget_tokens": 1_024}),
        ("low", None, {"type": "enabled", "budget_tokens": 2_048}),
        ("high", None, {"type": "enabled", "budget_tokens": 3_000}),
        ("high", 40_000, {"type": "enabled", "budget_tokens": 16_384}),
        ("high", 1_000, None),
    ],
)
def test_effort_is_a_budget_below_the_limit(
    wire: AnthropicMessages, effort: Any, limit: int | None, told: object
) -> None:
    reasoning = ReasoningOptions(effort=effort)
    assert sent(wire, reasoning=reasoning, max_output_tokens=limit).get("thinking") == told


def test_who_must_call_a_tool_or_goes_on_from_one_cannot_begin_to_think(
    wire: AnthropicMessages,
) -> None:
    must = sent(wire, reasoning=HIGH, tools=(TIME,), tool_choice=ToolChoice("required"))
    going_on = sent(
        wire,
        ASKED,
        FunctionCall("a", "time", "{}"),
        FunctionCallOutput("a", "noon"),
        reasoning=HIGH,
        tools=(TIME,),
    )
    after = sent(
        wire,
        ASKED,
        FunctionCall("a", "time", "{}"),
        FunctionCallOutput("a", "noon"),
        MessageItem(Role.ASSISTANT, "Noon."),
        ASKED,
        reasoning=HIGH,
        tools=(TIME,),
    )

    assert "thinking" not in must
    assert "thinking" not in going_on
    assert after["thinking"]["type"] == "enabled"


def refuses(wire: AnthropicMessages, words: str, **asked: Any) -> bool:
    body = wire.request_body(Prompt(items=(ASKED,), **asked), "m")
    assert isinstance(body, dict)
    return wire.leave_out(UnknownFieldError("", provider_message=words), "m", sent=body)


def test_a_model_that_takes_no_budget_is_told_the_effort(wire: AnthropicMessages) -> None:
    schema = {"type": "object"}
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}

    assert refuses(wire, REFUSED_THINKING, reasoning=HIGH)
    body = sent(wire, reasoning=HIGH, extra={"response_format": form})

    assert body["thinking"] == {"type": "adaptive"}
    assert body["output_config"] == {
        "effort": "high",
        "format": {"type": "json_schema", "schema": schema},
    }
    assert not refuses(wire, REFUSED_THINKING, reasoning=HIGH), "it would be refused for ever"


def test_a_model_that_knows_no_strict_is_asked_without(wire: AnthropicMessages) -> None:
    words = "tools.0.custom.strict: Extra inputs are not permitted"

    assert refuses(wire, words, tools=(WEATHER,))
    assert "strict" not in sent(wire, tools=(WEATHER,))["tools"][0]
    assert not refuses(wire, words, tools=(WEATHER,)), "it would be refused for ever"


def test_what_comes_again_is_kept_where_the_server_knows_how(wire: AnthropicMessages) -> None:
    words = "cache_control: Extra inputs are not permitted"

    assert "cache_control" not in sent(wire)
    assert sent(wire, prompt_cache_key="k")["cache_control"] == {"type": "ephemeral"}
    assert refuses(wire, words, prompt_cache_key="k")
    assert "cache_control" not in sent(wire, prompt_cache_key="k")
    assert not refuses(wire, words, prompt_cache_key="k"), "it would be refused for ever"


def test_what_the_caller_asked_for_is_not_left_out(wire: AnthropicMessages) -> None:
    assert not refuses(wire, "thinking: Extra inputs are not permitted", reasoning=HIGH)
    assert not refuses(wire, "tools: Extra inputs are not permitted", tools=(TIME,))
