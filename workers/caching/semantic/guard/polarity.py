"""Equal direction: "enable 2FA" is "turn on 2FA" and not "disable 2FA"."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from workers.caching.semantic.guard.question import GuardedQuestion
from workers.caching.semantic.guard.vocabulary.opposites import OPPOSITES

_REACH: Final = 4
"""A particle belongs to a verb that stands at most so many words before it."""
_OPPOSING_PREFIXES: Final = ("un", "dis", "de", "non", "in", "im", "ir", "il", "mis", "non-")
_SHORTEST_STEM: Final = 4


class _Side(NamedTuple):
    """One end of one pair."""

    pair: int
    is_second: bool


def differ_in_polarity(asked: GuardedQuestion, stored: GuardedQuestion) -> bool:
    """Whether on some pair the two stand on different sides, or one word negates the other."""
    ours, theirs = _sides(asked), _sides(stored)
    return any(
        _differ({side for side in ours if side.pair == pair}, theirs)
        for pair in {side.pair for side in ours}
    ) or _have_opposite_prefixes(asked, stored)


def _differ(ours: set[_Side], all_theirs: set[_Side]) -> bool:
    pair = next(iter(ours)).pair
    theirs = {side for side in all_theirs if side.pair == pair}
    return bool(theirs) and ours != theirs


def _sides(question: GuardedQuestion) -> set[_Side]:
    words = question.lower
    found: set[_Side] = set()
    for place, word in enumerate(words):
        reach = words[place + 1 : place + 1 + _REACH]
        phrased = [side for particle in reach for side in _PHRASES.get((word, particle), ())]
        # "turn off" says nothing by its "turn", "log out" nothing by its "log".
        found.update(phrased or _SINGLE.get(word, ()))
    return found


def _have_opposite_prefixes(asked: GuardedQuestion, stored: GuardedQuestion) -> bool:
    ours, theirs = asked.stems - stored.stems, stored.stems - asked.stems
    return _opposes(ours, theirs) or _opposes(theirs, ours)


def _opposes(words: frozenset[str], others: frozenset[str]) -> bool:
    return any(
        word.startswith(prefix) and word[len(prefix) :] in others
        for word in words
        for prefix in _OPPOSING_PREFIXES
        if len(word) - len(prefix) >= _SHORTEST_STEM
    )


def _forms(word: str) -> Iterator[str]:
    """The word with the endings it may have."""
    yield word
    stem = word.removesuffix("e")
    yield from (word + "s", word + "es", stem + "ed", stem + "ing")
    if len(word) > 2 and word[-1] not in "aeiouwxy" and word[-2] in "aeiou":
        yield from (word + word[-1] + "ed", word + word[-1] + "ing")
    if word.endswith("y"):
        yield from (word[:-1] + "ies", word[:-1] + "ied")
    if word.endswith("ate"):
        yield word[:-1] + "ion"
    elif word.endswith("t"):
        yield word + "ion"


def _tables() -> tuple[dict[str, list[_Side]], dict[tuple[str, str], list[_Side]]]:
    single: dict[str, list[_Side]] = {}
    phrases: dict[tuple[str, str], list[_Side]] = {}
    for pair, ends in enumerate(OPPOSITES):
        for is_second, end in enumerate(ends):
            side = _Side(pair, bool(is_second))
            for name in end.split(","):
                verb, _, particle = name.strip().partition("~")
                for form in _forms(verb):
                    if particle:
                        phrases.setdefault((form, particle), []).append(side)
                    else:
                        single.setdefault(form, []).append(side)
    return single, phrases


_SINGLE, _PHRASES = _tables()
