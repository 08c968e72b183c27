"""JSON: an answer in the format its caller asked for."""

from __future__ import annotations

from workers.validation.validator import Draft, Question
from workers.validation.verdict import Catch, Verdict


class JsonFormat:
    """Catches a whole answer that is not the JSON that was asked for.

    One that the provider had to stop is told as `incomplete` and not held against its format.
    """

    name = "json_schema"

    def __init__(self, *, verdict: Verdict) -> None:
        self._verdict = verdict

    def check(self, draft: Draft, question: Question) -> Catch | None:
        if question.answer_format is None or not draft.is_whole:
            return None
        problem = question.answer_format.problem(draft.text)
        if problem is None:
            return None
        return Catch(
            validator=self.name,
            verdict=self._verdict,
            evidence=problem,
            complaint=f"It broke the format that was asked for: {problem}. "
            "Answer with that JSON and nothing else.",
        )
