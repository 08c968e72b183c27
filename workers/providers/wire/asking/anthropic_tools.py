"""Tools and how much to think, in the words of Anthropic's messages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from shared.messages.item import FunctionCall
from shared.messages.tool import FunctionTool, ToolChoice
from workers.providers.provider import Prompt
from workers.providers.wire.asking.cache_marks import marked
from workers.providers.wire.asking.thoughts import Block

_LEAST_BUDGET: Final = 1_024
_BUDGETS: Final = {
    "minimal": 1_024,
    "low": 2_048,
    "medium": 8_192,
    "high": 16_384,
    "xhigh": 32_768,
    "max": 65_536,
}
"""Tokens of thinking for each effort, where the limit of the answer leaves room for them."""
_ANY_OBJECT: Final[Block] = {"type": "object"}
_MODES: Final = {"auto": "auto", "required": "any", "none": "none"}


def told_tools(prompt: Prompt, *, knows_strict: bool) -> Block:
    """The tools that may be asked for, and whether one must be; calls need their tools told.

    A list of what is allowed has no word there: the others are not told.
    """
    tools, choice = prompt.tools, prompt.tool_choice or ToolChoice("auto")
    if not tools:
        return _of_the_past(prompt)
    if choice.names and choice.mode != "none":
        tools = tuple(tool for tool in tools if tool.name in choice.names)
    told: Block = {"tools": [_tool(tool, knows_strict=knows_strict) for tool in tools]}
    if prompt.tool_choice is not None or prompt.parallel_tool_calls is False:
        told["tool_choice"] = _choice(choice, one_at_most=prompt.parallel_tool_calls is False)
    return told


def _of_the_past(prompt: Prompt) -> Block:
    """A server may refuse calls of tools that it is not told of: they are, and may not be used."""
    names = dict.fromkeys(item.name for item in prompt.items if isinstance(item, FunctionCall))
    if not names:
        return {}
    tools = [{"name": name, "input_schema": _ANY_OBJECT} for name in names]
    return {"tools": tools, "tool_choice": {"type": "none"}}


def _tool(tool: FunctionTool, *, knows_strict: bool) -> Block:
    told: Block = {"name": tool.name, "input_schema": {**_ANY_OBJECT, **tool.parameters}}
    if tool.description is not None:
        told["description"] = tool.description
    if tool.strict and knows_strict:
        told["strict"] = True
    return told | marked(tool.cache_control)


def _choice(choice: ToolChoice, *, one_at_most: bool) -> Block:
    told: Block = {"type": _MODES[choice.mode]}
    if choice.mode == "required" and len(choice.names) == 1:
        told = {"type": "tool", "name": choice.names[0]}
    if one_at_most and choice.mode != "none":
        told["disable_parallel_tool_use"] = True
    return told


def told_effort(
    prompt: Prompt, messages: Iterable[Block], *, max_tokens: int, is_adaptive: bool
) -> Block:
    """How much to think, where it was asked and can be had beside all else that was asked.

    Who must ask for a tool cannot think before, nor who goes on from a call that was asked for
    without a thought: another provider may have. A limit that leaves no room is no room.
    """
    effort = prompt.reasoning.effort if prompt.reasoning else None
    if effort is None:
        return {}
    if effort == "none":
        return {"thinking": {"type": "disabled"}}
    if prompt.tools and prompt.tool_choice and prompt.tool_choice.mode == "required":
        return {}
    if is_adaptive:
        told = "low" if effort == "minimal" else effort
        return {"thinking": {"type": "adaptive"}, "output_config": {"effort": told}}
    budget = min(_BUDGETS[effort], max_tokens * 3 // 4)
    if budget < _LEAST_BUDGET or _goes_on_unthought(list(messages)):
        return {}
    return {"thinking": {"type": "enabled", "budget_tokens": budget}}


def _goes_on_unthought(messages: list[Block]) -> bool:
    """Whether the calls that it goes on from have nothing that was thought before them."""
    if len(messages) < 2 or _first_kind(messages[-1]) != "tool_result":
        return False
    return _first_kind(messages[-2]) not in {"thinking", "redacted_thinking"}


def _first_kind(message: Block) -> object:
    content = message["content"]
    return content[0]["type"] if isinstance(content, list) else "text"
