"""Equal order: "convert USD to EUR" is not "convert EUR to USD"."""

from __future__ import annotations

from typing import Final

from workers.caching.semantic.guard.question import GuardedQuestion
from workers.caching.semantic.guard.vocabulary.word_set import word_set

_MARKERS: Final = word_set(
    "to into in from than over before after by for under above against per with of as on at "
    "minus divided instead until towards onto beats beat"
)
_SKIPPED: Final = word_set("the a an my your our their his her its this that")
_BOTH_WAYS: Final = word_set("and or vs versus between compare compared difference both")
_SUBJECT: Final = ""
_ALIKE: Final = {"above": "over", "into": "to", "towards": "to", "onto": "on", "beats": "beat"}
_TOWARDS: Final = {"to": True, "from": False}


def differ_in_order(asked: GuardedQuestion, stored: GuardedQuestion) -> bool:
    """Whether two words that both share have changed places."""
    ours, theirs = _places(asked), _places(stored)
    shared = ours.keys() & theirs.keys()
    moved = [word for word in shared if ours[word] != theirs[word]]
    return (
        any(
            ours[one] == theirs[other] and ours[one] != _SUBJECT and theirs[one] != ours[one]
            for one in moved
            for other in moved
            if one != other
        )
        or _point_elsewhere(ours, theirs)
        or _are_reordered(asked, stored)
    )


def _point_elsewhere(ours: dict[str, str], theirs: dict[str, str]) -> bool:
    """ "ship to Canada" is not "ship from Canada"."""
    return any(
        {_TOWARDS.get(marker), _TOWARDS.get(theirs.get(word, ""))} == {True, False}
        for word, marker in ours.items()
    )


def _places(question: GuardedQuestion) -> dict[str, str]:
    """For each word the marker it stands behind: `to`, `from`, `than`; none for a subject."""
    places: dict[str, str] = {}
    marker = _SUBJECT
    for word in question.words:
        if word.lower in _MARKERS:
            marker = _ALIKE.get(word.lower, word.lower)
        elif word.lower not in _SKIPPED:
            places.setdefault(word.stem, marker)
            if not word.lower[0].isdigit():
                marker = _SUBJECT
    return places


def _are_reordered(asked: GuardedQuestion, stored: GuardedQuestion) -> bool:
    """The same words, of which some have changed places: "did France beat Germany"."""
    if _BOTH_WAYS & set(asked.lower) or sorted(asked.lower) != sorted(stored.lower):
        return False
    return asked.lower != stored.lower and _MARKERS.isdisjoint(asked.lower)
