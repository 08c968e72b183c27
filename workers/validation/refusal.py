"""Refusals: an answer whose beginning says that there will be none."""

from __future__ import annotations

from typing import Final

import re2

from shared.secrets_in_text import PlainText
from workers.validation.validator import Draft, Question, Subject
from workers.validation.verdict import Catch, Verdict

_READ: Final = 240
"""A refusal comes first; an answer that declines a part of the question later is an answer."""
_REFUSAL: Final = re2.compile(
    r"(?i)^\W*(?:(?:i[’']?m|i am) (?:very |really |so )?sorry\b.{0,40}?|sorry,? (?:but )?"
    r"|unfortunately,? |as an ai(?: language)?(?: model| assistant)?,? )*"
    r"(?:i (?:can(?:[’']t|not| not)|won[’']t|will not|must decline|am (?:unable|not able)"
    r"|do not feel comfortable|don[’']t feel comfortable)"
    r"|i[’']m (?:unable|not able|not comfortable))"
    r" (?:be able )?(?:to )?(?:\w+ )?"
    r"(?:help|assist|comply|answer|provide|fulfil|fulfill|do that|discuss|support|continue|engage)"
)


def begins_with_refusal(text: str) -> bool:
    """Whether an answer begins by refusing, in the words that English models use."""
    return _REFUSAL.search(PlainText(text[:_READ]).text) is not None


class RefusalValidator:
    """Catches an answer that begins by refusing, in the words that English models use."""

    name = "refusal"
    subject = Subject.ANSWER

    def __init__(self, *, verdict: Verdict) -> None:
        self._verdict = verdict

    def check(self, draft: Draft, question: Question) -> Catch | None:  # noqa: ARG002
        if not begins_with_refusal(draft.text):
            return None
        return Catch(
            validator=self.name,
            verdict=self._verdict,
            evidence="begins with a refusal",
            complaint="It refused. The request is permitted here: answer it.",
        )
