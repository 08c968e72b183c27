"""Length: an answer that is too short or too long to be one."""

from __future__ import annotations

from workers.validation.validator import Draft, Question
from workers.validation.verdict import Catch, Verdict


class Length:
    """Catches an answer with fewer or more characters than the settings allow."""

    name = "length"

    def __init__(self, *, shortest: int, longest: int, verdict: Verdict) -> None:
        self._shortest = shortest
        self._longest = longest
        self._verdict = verdict

    def check(self, draft: Draft, question: Question) -> Catch | None:  # noqa: ARG002
        length = len(draft.text)
        if self._shortest <= length <= self._longest:
            return None
        return Catch(
            validator=self.name,
            verdict=self._verdict,
            evidence=f"{length} characters, allowed are {self._shortest} to {self._longest}",
            complaint=f"It had {length} characters. "
            f"Answer in {self._shortest} to {self._longest} characters.",
        )
