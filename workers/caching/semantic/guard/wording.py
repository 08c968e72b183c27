"""Equal wording: "store fresh basil" is not "store dried basil", nor "grow fresh basil"."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import Final

from workers.caching.semantic.guard.numbers import UNITS, says_number
from workers.caching.semantic.guard.question import GuardedQuestion
from workers.caching.semantic.guard.vocabulary.synonyms import DECISIVE, LIGHT, SYNONYMS

_ENDINGS: Final = ("ations", "ation", "ings", "ing", "ment", "ies", "ed", "es", "ly", "s", "e", "y")
_SHORTEST_ROOT: Final = 3
_NONE: Final = frozenset[int]()


def differ_in_wording(asked: GuardedQuestion, stored: GuardedQuestion) -> bool:
    """Whether each says something that the other does not, or one adds what is decisive."""
    ours, theirs = _content(asked), _content(stored)
    added, left_out = _unmatched(ours, theirs), _unmatched(theirs, ours)
    return (
        bool(added and left_out)
        or not _DECISIVE.isdisjoint(added | left_out)
        or _repeated(asked) != _repeated(stored)
        or _count_different_things(asked, stored)
    )


def _content(question: GuardedQuestion) -> frozenset[str]:
    """Roots of the words that say something."""
    return frozenset(
        root_of(UNITS.get(word.lower, word.lower))
        for word in question.words
        if not (LIGHT & {word.lower, word.stem} or says_number(word))
    )


def _unmatched(words: frozenset[str], others: frozenset[str]) -> frozenset[str]:
    """Those of the words for which the others have neither the word nor a synonym."""
    known = frozenset[int]().union(*(_GROUPS.get(other, _NONE) for other in others))
    missing = words - others
    return frozenset(word for word in missing if known.isdisjoint(_GROUPS.get(word, _NONE)))


def _repeated(question: GuardedQuestion) -> frozenset[str]:
    """ "my manager's manager" is not "my manager"."""
    seen = Counter(root_of(word.lower) for word in question.words if word.lower not in LIGHT)
    return frozenset(root for root, times in seen.items() if times > 1)


def _count_different_things(asked: GuardedQuestion, stored: GuardedQuestion) -> bool:
    """ "How many users for an account" is not "how many accounts for a user"."""
    ours, theirs = _counted(asked), _counted(stored)
    return bool(ours and theirs) and bool(_unmatched(ours, theirs))


def _counted(question: GuardedQuestion) -> frozenset[str]:
    words = question.lower
    return frozenset(
        root_of(counted)
        for how, many, counted in zip(words, words[1:], words[2:], strict=False)
        if (how, many) == ("how", "many")
    )


@lru_cache(maxsize=20_000)
def root_of(word: str) -> str:
    """What forms of one word share, roughly: "shipping", "shipped" and "ships" have one."""
    root = next(
        (
            word.removesuffix(ending)
            for ending in _ENDINGS
            if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_ROOT
        ),
        word,
    )
    return root[:-1] if len(root) > _SHORTEST_ROOT and root[-1] == root[-2] else root


def _groups() -> dict[str, frozenset[int]]:
    groups: dict[str, set[int]] = {}
    for number, words in enumerate(SYNONYMS):
        for word in words.split():
            groups.setdefault(root_of(word), set()).add(number)
    return {root: frozenset(numbers) for root, numbers in groups.items()}


_GROUPS: Final = _groups()
_DECISIVE: Final = frozenset(root_of(word) for word in DECISIVE)
