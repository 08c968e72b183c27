"""What Anthropic's messages refuse in a request, in their own words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from typing import Any

SIGNATURE = "scripted"
"""Of what is thought here."""
_ID = re.compile(r"[a-zA-Z0-9_-]+")
_BLOCKS = frozenset(
    {"text", "image", "document", "tool_use", "tool_result", "thinking", "redacted_thinking"}
)
_THOUGHTS = frozenset({"thinking", "redacted_thinking"})
_FIELDS = frozenset(
    {
        *("model", "max_tokens", "messages", "stream", "system", "temperature", "top_p", "top_k"),
        *("stop_sequences", "tools", "tool_choice", "thinking", "metadata", "service_tier"),
        *("output_config", "cache_control", "container"),
    }
)
_LEAST_BUDGET = 1024
_MOST_BREAKPOINTS = 4
_UNANSWERED = (
    "messages.{}: `tool_use` ids were found without `tool_result` blocks immediately after: {}. "
    "Each `tool_use` block must have a corresponding `tool_result` block in the next message."
)
_ORPHAN = (
    "messages.{}.content.{}: unexpected `tool_use_id` found in `tool_result` blocks: {}. Each "
    "`tool_result` block must have a corresponding `tool_use` block in the previous message."
)
_UNTHOUGHT = (
    "messages.{}.content.0.type: Expected `thinking` or `redacted_thinking`, but found `{}`. When "
    "`thinking` is enabled, a final `assistant` message must start with a thinking block."
)

_Blocks = list[dict[str, Any]]


def anthropic_fault(body: dict[str, Any]) -> str | None:
    """The first fault; None where it would be answered."""
    return next(_faults(body), None)


def _faults(body: dict[str, Any]) -> Iterator[str]:
    for field in body.keys() - _FIELDS:
        yield f"{field}: Extra inputs are not permitted"
    if not isinstance(body.get("max_tokens"), int):
        yield "max_tokens: Field required"
    if (marks := breakpoints_in(body)) > _MOST_BREAKPOINTS:
        yield f"A maximum of 4 blocks with cache_control may be provided. Found {marks}."
    yield from _in_tools(body)
    turns = list(_turns(body["messages"]))
    if not turns or turns[0][0] != "user":
        yield 'messages: first message must use the "user" role'
    for nth, (role, blocks) in enumerate(turns):
        yield from _in_turn(nth, role, blocks)
    if turns and turns[-1][0] == "assistant" and _ends_blank(turns[-1][1]):
        yield "messages: final assistant content cannot end with trailing whitespace"
    yield from _in_calls(turns)
    yield from _in_thinking(body, turns)


def breakpoints_in(body: dict[str, Any]) -> int:
    """How many blocks and tools say that all up to them may be kept, and the body itself."""
    said = [block for message in body["messages"] for block in _blocks(message)]
    system = body.get("system")
    told = [*(body.get("tools") or ()), *(system if isinstance(system, list) else ()), *said, body]
    return sum(isinstance(block, dict) and "cache_control" in block for block in told)


def _turns(messages: list[dict[str, Any]]) -> Iterator[tuple[str, _Blocks]]:
    """Neighbours of one role are one turn."""
    for role, neighbours in groupby(messages, lambda message: message.get("role")):
        yield str(role), [block for message in neighbours for block in _blocks(message)]


def _blocks(message: dict[str, Any]) -> _Blocks:
    content = message.get("content")
    return content if isinstance(content, list) else [{"type": "text", "text": content or ""}]


def _in_tools(body: dict[str, Any]) -> Iterator[str]:
    tools = body.get("tools") or []
    for nth, tool in enumerate(tools):
        if not _ID.fullmatch(str(tool.get("name") or "")):
            yield f"tools.{nth}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'"
        if tool.get("input_schema", {}).get("type") != "object":
            yield f"tools.{nth}.custom.input_schema.type: Field required"
    choice = body.get("tool_choice")
    if choice is None:
        return
    kind, names = choice.get("type"), [tool.get("name") for tool in tools]
    if not tools:
        yield "tool_choice: may only be specified while providing tools"
    if kind not in {"auto", "any", "tool", "none"}:
        yield "tool_choice: Input tag does not match any of: 'any', 'auto', 'none', 'tool'"
    if kind == "tool" and choice.get("name") not in names:
        yield f"Tool '{choice.get('name')}' not found in provided tools"


def _in_turn(nth: int, role: str, blocks: _Blocks) -> Iterator[str]:
    if role not in {"user", "assistant"}:
        yield f"messages.{nth}.role: Input should be 'user' or 'assistant'"
    if not blocks:
        yield f"messages.{nth}: all messages must have non-empty content"
    theirs = {"tool_use", *_THOUGHTS} if role == "user" else {"tool_result", "image", "document"}
    for index, block in enumerate(blocks):
        kind, place = block.get("type"), f"messages.{nth}.content.{index}"
        if kind not in _BLOCKS - theirs:
            yield f"{place}: Input tag '{kind}' does not match any of the expected tags"
        elif kind == "text" and not str(block.get("text")).strip():
            yield "messages: text content blocks must contain non-whitespace text"
        elif kind == "tool_use" and not isinstance(block.get("input"), dict):
            yield f"{place}.tool_use.input: Input should be a valid dictionary"
        elif kind == "tool_use" and not _ID.fullmatch(str(block.get("id"))):
            yield f"{place}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'"
        elif kind == "thinking" and block.get("signature") != SIGNATURE:
            yield f"{place}: Invalid `signature` in `thinking` block"


def _ends_blank(blocks: _Blocks) -> bool:
    return bool(blocks) and str(blocks[-1].get("text", "."))[-1:].isspace()


def _in_calls(turns: list[tuple[str, _Blocks]]) -> Iterator[str]:
    """The results of all calls must be the first blocks of the turn behind them."""
    seen: set[str] = set()
    asked: list[str] = []
    for nth, (_, blocks) in enumerate([*turns, ("end", [])]):
        results = [block for block in blocks if block.get("type") == "tool_result"]
        leading = [block["tool_use_id"] for block in blocks[: len(results)] if block in results]
        if missing := [call_id for call_id in asked if call_id not in leading]:
            yield _UNANSWERED.format(nth - 1, ", ".join(missing))
        for index, block in enumerate(results):
            if block["tool_use_id"] not in asked:
                yield _ORPHAN.format(nth, index, block["tool_use_id"])
        asked = [block["id"] for block in blocks if block.get("type") == "tool_use"]
        if len(set(asked)) < len(asked) or seen & set(asked):
            yield f"messages.{nth}.content: `tool_use` ids must be unique"
        seen.update(asked)


def _in_thinking(body: dict[str, Any], turns: list[tuple[str, _Blocks]]) -> Iterator[str]:
    thinking = body.get("thinking") or {}
    if thinking.get("type") == "enabled":
        budget = thinking.get("budget_tokens") or 0
        if budget < _LEAST_BUDGET:
            yield "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024"
        if budget >= body["max_tokens"]:
            yield "`max_tokens` must be greater than `thinking.budget_tokens`."
        first_kinds = [blocks[0].get("type") for _, blocks in turns]
        if first_kinds[-1] == "tool_result" and first_kinds[-2] not in _THOUGHTS:
            yield _UNTHOUGHT.format(len(turns) - 2, first_kinds[-2])
    forced = (body.get("tool_choice") or {}).get("type") in {"any", "tool"}
    if forced and thinking.get("type") in {"enabled", "adaptive"}:
        yield "Thinking may not be enabled when tool_choice forces tool use."
