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
    """Whether a tool must be asked for, or may, or must not; of `names` alone where there are, and
    of `file_search` where that is named."""

    mode: Literal["auto", "none", "required"]
    names: list[str] = []
    file_search: bool = False

    @property
    def takes_search(self) -> bool:
        """Whether files may be searched for it."""
        return self.mode != "none" and (self.file_search or not self.names)

    @property
    def needs_search(self) -> bool:
        """Whether there is no answer without a search."""
        return self.mode == "required" and self.takes_search

    def beside_search(self, *, searches: bool) -> ToolChoice | None:
        """What it leaves to choose among functions, where files are searched or might have been.

        A search that is made is the tool that had to be asked for.
        """
        if self.file_search and not self.names:
            return ToolChoice("none")
        mode = "auto" if searches and self.mode == "required" else self.mode
        return None if mode == "auto" and not self.names else ToolChoice(mode, self.names)


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
    if choice is None or not (choice.names or choice.file_search):
        return choice.mode if choice else "auto"
    named = [{"type": "function", "name": name} for name in choice.names]
    if choice.file_search:
        named.append({"type": "file_search"})
    if choice.mode == "required" and len(named) == 1:
        return dict(named[0])
    return {"type": "allowed_tools", "mode": choice.mode, "tools": named}
