"""What a model may ask for and how much it thinks: as a body keeps it, and a response tells it."""

from __future__ import annotations

from typing import Literal

import msgspec

from shared.messages.part import CacheBreakpoint

Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
Summary = Literal["auto", "concise", "detailed"]


class FunctionTool(msgspec.Struct, frozen=True, omit_defaults=True):
    """A function that the model may ask for; `parameters` is the JSON Schema of its arguments."""

    name: str
    description: str | None = None
    parameters: dict[str, object] = {}
    strict: bool | None = None
    cache_control: CacheBreakpoint | None = None
    """Up to here a provider may keep what it has read; no response tells of it."""


class ToolChoice(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whether a tool must be asked for, or may, or must not; of `names` alone where there are."""

    mode: Literal["auto", "none", "required"]
    names: list[str] = []


class ReasoningOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How much a model thinks, and what it tells of it."""

    effort: Effort | None = None
    summary: Summary | None = None


def told_tool(tool: FunctionTool) -> dict[str, object]:
    """The tool as a response tells of it: all of its fields, asked for or not."""
    told = msgspec.structs.asdict(tool)
    del told["cache_control"]
    return {"type": "function", **told}


def told_choice(choice: ToolChoice | None) -> str | dict[str, object]:
    """The choice in the words of Responses."""
    if choice is None or not choice.names:
        return choice.mode if choice else "auto"
    named = [{"type": "function", "name": name} for name in choice.names]
    if choice.mode == "required" and len(named) == 1:
        return dict(named[0])
    return {"type": "allowed_tools", "mode": choice.mode, "tools": named}
