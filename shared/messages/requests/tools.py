"""What holds for the tools of every surface, and for the choice among them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final, Literal

import msgspec

from shared.decoding import missing_field
from shared.errors import InvalidRequest, TooLarge
from shared.messages.answer_format import JsonBySchema, refuse_deep
from shared.messages.part import CacheBreakpoint
from shared.messages.tool import FunctionTool, ToolChoice

MOST_TOOLS: Final = 128
MOST_TOOL_BYTES: Final = 1_048_576
"""Of all of them."""
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
Mode = Literal["auto", "none", "required"]


class OfferedFunction(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A function that the model may ask for."""

    name: str
    description: str | None = None
    parameters: dict[str, object] | None = None
    strict: bool | None = None


class NamedFunction(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A function by its name."""

    name: str


class NamedTool(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A function by its name, or the tool that has its kind's."""

    name: str | None = None
    type: Literal["function", "file_search"] = "function"


class WrittenChoice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One tool that must be asked for, or some that may be."""

    type: Literal["function", "allowed_tools", "file_search"]
    name: str | None = None
    mode: Literal["auto", "required"] | None = None
    tools: list[NamedTool] | None = None


def offer(tools: list[FunctionTool], choice: ToolChoice | None) -> dict[str, Any]:
    """Both as fields of a body: where no tool is offered, none need be forbidden."""
    forbids_nothing = not tools and choice is not None and choice.mode == "none"
    return {"tools": tools, "tool_choice": None if forbids_nothing else choice}


def tool_of(written: OfferedFunction, *, kept: CacheBreakpoint | None = None) -> FunctionTool:
    """The tool; without `parameters` it takes any. `kept`: all up to it may be."""
    return FunctionTool(
        name=written.name,
        description=written.description,
        parameters=written.parameters or {},
        strict=written.strict,
        cache_control=kept.spelled() if kept is not None else None,
    )


def choice_of(written: Mode | WrittenChoice | None) -> ToolChoice | None:
    """What the model must or may ask for; raises InvalidRequest for half a choice."""
    if written is None or isinstance(written, str):
        return _choice(written or "auto", [])
    if written.type == "file_search":
        return ToolChoice("required", file_search=True)
    if written.type == "function":
        if written.name is None:
            raise missing_field("tool_choice.name")
        return _choice("required", [written.name])
    if written.mode is None or written.tools is None:
        raise missing_field("tool_choice.tools" if written.mode else "tool_choice.mode")
    names, file_search = list[str](), False
    for nth, tool in enumerate(written.tools):
        if tool.type == "file_search":
            file_search = True
        elif tool.name is None:
            raise missing_field(f"tool_choice.tools[{nth}].name")
        else:
            names.append(tool.name)
    return _choice(written.mode, names, file_search=file_search)


def _choice(mode: Mode, names: list[str], *, file_search: bool = False) -> ToolChoice | None:
    """None where the model chooses among all."""
    is_open = mode == "auto" and not names and not file_search
    return None if is_open else ToolChoice(mode, names, file_search)


def check_tools(
    tools: Sequence[FunctionTool],
    choice: ToolChoice | None,
    *,
    schema: str = "parameters",
    search_at: int | None = None,
) -> None:
    """Raises InvalidRequest naming the first tool that no provider could be given, by its place,
    and TooLarge for too much of them.

    `schema` is where its parameters stand in the caller's words, `search_at` the place of
    `file_search` among the tools.
    """
    if not tools and choice is None:
        return
    if len(tools) > MOST_TOOLS:
        raise InvalidRequest(
            f"'tools' has {len(tools)} tools and {MOST_TOOLS} are taken. Offer fewer.",
            param="tools",
        )
    if len(msgspec.json.encode(tools)) > MOST_TOOL_BYTES:
        # A schema costs far more than its bytes to make a validator of.
        raise TooLarge(
            f"'tools' is larger than {MOST_TOOL_BYTES} bytes. Shorten it.",
            param="tools",
            kind="request_too_large",
        )
    names = set[str]()
    for index, tool in enumerate(tools):
        place = f"tools[{index + (search_at is not None and index >= search_at)}]"
        if not _NAME.fullmatch(tool.name):
            raise InvalidRequest(
                f"'{place}' has a name that is not 1 to 64 letters, digits, '_' or '-'. Rename it.",
                param=place,
            )
        if tool.name in names:
            raise InvalidRequest(
                f"'{place}' has the name '{tool.name}' of another tool. Rename one.", param=place
            )
        names.add(tool.name)
        refuse_deep(tool.parameters, f"{place}.{schema}")
        JsonBySchema(tool.parameters, param=f"{place}.{schema}")
    _check_choice(choice, names, has_search=search_at is not None)


def _check_choice(choice: ToolChoice | None, names: set[str], *, has_search: bool) -> None:
    if choice is None or choice.mode == "none":
        return
    if not names and not has_search:
        raise InvalidRequest(
            "'tool_choice' asks for a tool and 'tools' offers none. Leave it out.",
            param="tool_choice",
        )
    wanted = ["file_search"] if choice.file_search and not has_search else []
    for name in (*wanted, *choice.names):
        if name in wanted or name not in names:
            raise InvalidRequest(
                f"'tool_choice' names '{name[:64]}', which is not among 'tools'. Offer it there.",
                param="tool_choice",
            )
