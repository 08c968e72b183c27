"""Calls: an answer may ask for the tools that it was offered, in the way they take."""

from __future__ import annotations

from workers.validation.validator import Draft, Question, Subject
from workers.validation.verdict import Catch, Verdict


class ToolCalls:
    """Catches calls that the tools of the turn do not take, and a missing one that must be made."""

    name = "tool_calls"
    subject = Subject.TOOLS

    def __init__(self, *, verdict: Verdict) -> None:
        self._verdict = verdict

    def check(self, draft: Draft, question: Question) -> Catch | None:
        if question.tools is None:
            problem: str | None = "it calls a tool, and none was offered"
        else:
            problem = question.tools.problem(draft.calls, is_whole=draft.is_whole)
        if problem is None:
            return None
        return Catch(
            validator=self.name,
            verdict=self._verdict,
            evidence=problem,
            complaint=f"It did not use its tools as they are described: {problem}. Call only the "
            "tools that you were given, with arguments that fit their schemas.",
        )
