"""Whether somebody asks the same again in other words: by the words that both questions share."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final, NamedTuple

SOON: Final = timedelta(minutes=10)
_SHARED: Final = 0.6
_LONGEST: Final = 4_000
_WORD: Final = re.compile(r"[^\W_]+")
_EMPTY: Final = (
    "a an and are as at be but by can could did do does for from had has have how i in is it "
    "its me my no not of on or please so tell that the their them then there they this to was "
    "we were what when where which who why will with would you your"
)


class TalkQuestion(NamedTuple):
    """What was asked, and from when until when it was answered."""

    asked_at: datetime
    answered_at: datetime
    text: str


def asks_again(questions: Sequence[TalkQuestion]) -> bool:
    """Whether one of them, which are in their order, is the one before in other words.

    It has to come within ten minutes of the answer. Words are compared as they are written, in any
    language; where a language puts none between blanks only the same question is found.
    """
    return any(
        second.asked_at - first.answered_at <= SOON and is_like(first.text, second.text)
        for first, second in pairwise(questions)
    )


def is_like(one: str, other: str) -> bool:
    """Whether two questions have three fifths of their words in common, empty ones left out."""
    left, right = _words(one), _words(other)
    if not left or not right:
        return False
    return len(left & right) >= _SHARED * len(left | right)


def _words(text: str) -> set[str]:
    found = {word.casefold() for word in _WORD.findall(text[:_LONGEST])}
    return found.difference(_EMPTY.split()) or found
