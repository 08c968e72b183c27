"""Tools in chat's words, which have a function one level lower."""

from __future__ import annotations

from typing import Literal

import msgspec

from shared.messages.part import CacheBreakpoint
from shared.messages.requests.tools import (
    Mode,
    NamedFunction,
    NamedTool,
    OfferedFunction,
    WrittenChoice,
    choice_of,
    tool_of,
)
from shared.messages.tool import FunctionTool, ToolChoice


class ChatTool(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tool; functions alone are known."""

    function: OfferedFunction
    type: Literal["function"] = "function"
    cache_control: CacheBreakpoint | None = None


class ChosenTool(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of the tools."""

    function: NamedFunction
    type: Literal["function"] = "function"


class AllowedTools(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Some of the tools, one of which may or must be asked for."""

    mode: Literal["auto", "required"]
    tools: list[ChosenTool]


class ChatToolChoice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One tool that must be asked for, or some that may be."""

    type: Literal["function", "allowed_tools"]
    function: NamedFunction | None = None
    allowed_tools: AllowedTools | None = None


def tools_of_chat(tools: list[ChatTool] | None) -> list[FunctionTool]:
    return [tool_of(tool.function, kept=tool.cache_control) for tool in tools or ()]


def choice_of_chat(written: Mode | ChatToolChoice | None) -> ToolChoice | None:
    """What the model must or may ask for; raises InvalidRequest for half a choice."""
    if not isinstance(written, ChatToolChoice):
        return choice_of(written)
    allowed = written.allowed_tools
    return choice_of(
        WrittenChoice(
            type=written.type,
            name=written.function.name if written.function else None,
            mode=allowed.mode if allowed else None,
            tools=[NamedTool(tool.function.name) for tool in allowed.tools] if allowed else None,
        )
    )
