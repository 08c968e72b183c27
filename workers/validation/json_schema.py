"""JSON: an answer in the format its caller asked for."""

from __future__ import annotations

import re
from typing import Final

from workers.validation.validator import Draft, Question, Subject
from workers.validation.verdict import Catch, Verdict

_FENCE: Final = re.compile(r"```[^\S\n]*\w*[^\S\n]*\n(.*?)```", re.DOTALL)


class JsonFormat:
    """Catches a whole answer that is not the JSON that was asked for.

    One that the provider had to stop is told as `incomplete` and not held against its format, nor
    is what a model says before it asks tools. Right JSON inside a Markdown fence is taken out.
    """

    name = "json_schema"
    subject = Subject.FORMAT

    def __init__(self, *, verdict: Verdict) -> None:
        self._verdict = verdict

    def check(self, draft: Draft, question: Question) -> Catch | None:
        if question.answer_format is None or draft.calls or not draft.is_whole:
            return None
        problem = question.answer_format.problem(draft.text)
        if problem is None:
            return None
        fenced = _inside_fence(draft.text)
        if fenced is not None and question.answer_format.problem(fenced) is None:
            return Catch(
                validator=self.name,
                verdict=Verdict.FIX,
                evidence="right JSON inside a fence",
                complaint="",
                mended=fenced,
            )
        return Catch(
            validator=self.name,
            verdict=self._verdict,
            evidence=problem,
            complaint=f"It broke the format that was asked for: {problem}. "
            "Answer with that JSON and nothing else.",
        )


def _inside_fence(text: str) -> str | None:
    """What stands inside the only fence of the text."""
    found = _FENCE.findall(text)
    return found[0].strip() if len(found) == 1 else None
