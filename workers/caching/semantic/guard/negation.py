"""Equal negation: "why can I log in" is not "why can I not log in"."""

from __future__ import annotations

from typing import Final

from workers.caching.semantic.guard.question import GuardedQuestion
from workers.caching.semantic.guard.vocabulary.word_set import word_set

_NEGATES: Final = word_set(
    "not no never none neither nor nobody nothing nowhere without unable impossible fail fails "
    "failed failing failure refuse refuses refused cease ceased hardly barely"
)
_SAYS_NOTHING: Final = word_set(
    "the a an to be been any it is are do does did have has i you we they he she me us them"
)


def differ_in_negation(asked: GuardedQuestion, stored: GuardedQuestion) -> bool:
    """Whether one denies and the other does not, or they deny different things."""
    ours, theirs = _denied(asked), _denied(stored)
    if bool(ours) != bool(theirs):
        return True
    if len(ours) != 1 or len(theirs) != 1 or ours == theirs:
        return False
    # Both name both things and each denies the other one: "tea but not milk", "milk but not tea".
    return ours[0] in stored.lower and theirs[0] in asked.lower


def _denied(question: GuardedQuestion) -> list[str]:
    """For each negation the word it stands before; empty where nothing follows."""
    words = question.lower
    return [
        next((after for after in words[place + 1 :] if after not in _SAYS_NOTHING), "")
        for place, word in enumerate(words)
        if word in _NEGATES
    ]
