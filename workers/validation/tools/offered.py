"""What was offered to the model: which tools, how many calls of them, and with which arguments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shared.messages.answer_format import JsonBySchema, JsonObject
from shared.messages.item import FunctionCall
from shared.messages.tool import FunctionTool, ToolChoice


class OfferedTools:
    """The tools of one turn. The schema of each is compiled when it is first called."""

    def __init__(
        self, tools: Sequence[FunctionTool], choice: ToolChoice | None, *, parallel: bool | None
    ) -> None:
        self._tools = {tool.name: tool for tool in tools}
        self._allowed = frozenset(self._tools)
        self._must_call = choice is not None and choice.mode == "required"
        if choice is not None and choice.mode == "none":
            self._allowed = frozenset()
        elif choice is not None and choice.names:
            self._allowed &= frozenset(choice.names)
        self._only_one = parallel is False
        self._schemas: dict[str, JsonBySchema] = {}

    def problem(self, calls: Sequence[FunctionCall], *, is_whole: bool) -> str | None:
        """What is wrong with the calls, in words that quote nothing of them; None if they fit.

        Raises InvalidRequest for a schema that cannot be used.
        """
        if not calls:
            is_missed = self._must_call and is_whole
            return "it calls no tool, and has to call one" if is_missed else None
        if self._only_one and len(calls) > 1:
            return f"it makes {len(calls)} calls, and one is allowed at a time"
        if len({call.call_id for call in calls}) < len(calls):
            return "two of its calls have the same id"
        return "; ".join(self._faults(calls)) or None

    def _faults(self, calls: Sequence[FunctionCall]) -> Iterator[str]:
        for nth, call in enumerate(calls, start=1):
            if call.name not in self._allowed:
                offered = call.name in self._tools
                yield f"call {nth} is of a tool that was not {'allowed' if offered else 'offered'}"
            elif fault := self._misfit(self._tools[call.name], call.arguments):
                yield f"the arguments of call {nth}, of {call.name}, do not fit: {fault}"

    def _misfit(self, tool: FunctionTool, arguments: str) -> str | None:
        """Whatever its schema says, a tool is given an object."""
        fault = JsonObject().problem(arguments)
        if fault is not None or not tool.parameters:
            return fault
        if tool.name not in self._schemas:
            self._schemas[tool.name] = JsonBySchema(tool.parameters, param="tools")
        return self._schemas[tool.name].problem(arguments)
