"""Tools in Anthropic's words."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from shared.errors import InvalidRequest
from shared.messages.part import CacheBreakpoint
from shared.messages.requests.tools import Mode, OfferedFunction, WrittenChoice, choice_of, tool_of
from shared.messages.requests.unsupported import UNSUPPORTED
from shared.messages.tool import FunctionTool, ToolChoice
from shared.surfaces.messages.blocks import Nothing

_MODES: Final[dict[str, Mode]] = {"auto": "auto", "any": "required", "none": "none"}


class MessagesTool(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tool of the caller's own; Anthropic's are not to be had.

    `eager_input_streaming` changes nothing: calls leave when they are whole.
    """

    name: str
    input_schema: dict[str, object]
    type: Literal["custom"] | None = None
    description: str | None = None
    strict: bool | None = None
    cache_control: CacheBreakpoint | None = None
    eager_input_streaming: bool | None = None
    defer_loading: bool | None = None
    allowed_callers: list[Literal["direct"]] | None = None
    input_examples: Nothing | None = None


class MessagesToolChoice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the model must or may ask for; a name stands with `tool` alone."""

    type: Literal["auto", "any", "tool", "none"]
    name: str | None = None
    disable_parallel_tool_use: bool | None = None

    @property
    def forbids_parallel(self) -> bool:
        """Whether one call at a time is wanted."""
        return self.disable_parallel_tool_use is True


def tools_of_messages(tools: list[MessagesTool] | None) -> list[FunctionTool]:
    """The tools; raises InvalidRequest for one that is to be searched for."""
    return [_tool(tool, f"tools[{index}]") for index, tool in enumerate(tools or ())]


def choice_of_messages(written: MessagesToolChoice | None) -> ToolChoice | None:
    """None where the model chooses among all; raises InvalidRequest for half a choice."""
    if written is None:
        return None
    if written.type == "tool":
        return choice_of(WrittenChoice(type="function", name=written.name))
    if written.name is not None:
        raise InvalidRequest(
            f"'tool_choice.name' means nothing beside the type '{written.type}'. Remove it.",
            param="tool_choice.name",
        )
    return choice_of(_MODES[written.type])


def _tool(tool: MessagesTool, place: str) -> FunctionTool:
    if tool.defer_loading:
        raise InvalidRequest(
            f"'{place}.defer_loading' is not supported: every tool is told. Remove it.",
            param=f"{place}.defer_loading",
            kind=UNSUPPORTED,
        )
    offered = OfferedFunction(tool.name, tool.description, tool.input_schema, tool.strict)
    return tool_of(offered, kept=tool.cache_control)
