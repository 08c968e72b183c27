"""Answers that are not there, or not as long as an answer is: empty, cut off, too short or long."""

from __future__ import annotations

from workers.validation.validator import Draft, Question, Subject
from workers.validation.verdict import Catch, Verdict


class Empty:
    """Catches an answer of nothing but white space. One that asks tools need not say anything."""

    name = "empty"
    subject = Subject.ANSWER

    def __init__(self, *, verdict: Verdict) -> None:
        self._verdict = verdict

    def check(self, draft: Draft, question: Question) -> Catch | None:  # noqa: ARG002
        if draft.text.strip() or draft.calls or not draft.is_whole:
            return None
        return Catch(
            validator=self.name,
            verdict=self._verdict,
            evidence="says nothing",
            complaint="It was empty. Answer the question.",
        )


class CutOff:
    """Catches an answer that ends at a limit of tokens which its caller did not set."""

    name = "cut_off"
    subject = Subject.ANSWER

    def __init__(self, *, verdict: Verdict) -> None:
        self._verdict = verdict

    def check(self, draft: Draft, question: Question) -> Catch | None:
        if draft.is_whole or question.has_output_limit:
            return None
        return Catch(
            validator=self.name,
            verdict=self._verdict,
            evidence=f"ends unfinished after {len(draft.text)} characters",
            complaint="It was cut off before its end. Answer more briefly.",
        )


class Length:
    """Catches an answer with fewer or more characters than the settings allow.

    Beside calls of tools it may be as short as it likes.
    """

    name = "length"
    subject = Subject.ANSWER

    def __init__(self, *, shortest: int, longest: int, verdict: Verdict) -> None:
        self._shortest = shortest
        self._longest = longest
        self._verdict = verdict

    def check(self, draft: Draft, question: Question) -> Catch | None:  # noqa: ARG002
        length = len(draft.text)
        if (self._shortest <= length or draft.calls) and length <= self._longest:
            return None
        return Catch(
            validator=self.name,
            verdict=self._verdict,
            evidence=f"{length} characters, allowed are {self._shortest} to {self._longest}",
            complaint=f"It had {length} characters. "
            f"Answer in {self._shortest} to {self._longest} characters.",
        )
