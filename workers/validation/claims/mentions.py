"""Where a text speaks of a fact."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from shared.messages.facts import Facts

_MOST_REMEMBERED: Final = 512
_LONGEST_JOINT: Final = 24
_JOINT: Final = re.compile(r"(?:[\s,&/]|\b(?:and|or|your|the|my|our|their)\b)+", re.IGNORECASE)


class Phrase(NamedTuple):
    """A name in lower case: its first word, the others, and whether a gap must stand around."""

    first: str
    others: tuple[str, ...]
    begins_word: bool
    ends_word: bool


class Mention(NamedTuple):
    """The place of the words that name a fact."""

    start: int
    end: int
    fact: str


def mentions_in(text: str, facts: Facts) -> list[Mention]:
    """Where the text names the facts, in order: by one of a fact's words, else by its name, whose
    underscores stand for spaces. "Daily limit" does not name the fact "limit" where both are."""
    lower = _lower(text)
    places = [
        (start, -end, name)
        for name, fact in facts.items()
        for phrase in _phrases(name, *fact.words)
        for start, end in _places(lower, phrase)
    ]
    if not places:
        return []
    places.sort()
    return list(_unhidden(places))


def is_listed(mention: Mention, others: Iterable[Mention], text: str) -> bool:
    """Whether it stands in a list of names ("balance and limit are …"), so that the first value
    behind it need not be its own."""
    return any(
        other.end <= mention.start
        and other.fact != mention.fact
        and _is_joint(text[other.end : mention.start])
        for other in others
    )


def _unhidden(places: list[tuple[int, int, str]]) -> Iterator[Mention]:
    """All but those that are a part of a longer name."""
    longest_start, longest_end = 0, 0
    for start, minus_end, name in places:
        end = -minus_end
        if end > longest_end:
            longest_start, longest_end = start, end
        elif end - start < longest_end - longest_start:
            continue
        yield Mention(start, end, name)


def _places(lower: str, phrase: Phrase) -> Iterator[tuple[int, int]]:
    first, length = phrase.first, len(phrase.first)
    at = lower.find(first)
    while at >= 0:
        if not (phrase.begins_word and _is_word(lower[at - 1 : at])):
            end = _end_of(lower, at + length, phrase)
            if end is not None:
                yield at, end
        at = lower.find(first, at + 1)


def _end_of(lower: str, end: int, phrase: Phrase) -> int | None:
    """Where a phrase ends whose first word ends here; None where it goes on as another."""
    for word in phrase.others:
        following = end
        while lower[following : following + 1].isspace():
            following += 1
        if following == end or not lower.startswith(word, following):
            return None
        end = following + len(word)
    behind = lower[end : end + 1]
    if not phrase.ends_word or not _is_word(behind):
        return end
    return end + 1 if behind == "s" and not _is_word(lower[end + 1 : end + 2]) else None


def _is_word(character: str) -> bool:
    """Whether words of it need a gap between them: not so in scripts without upper case."""
    if character.isascii():
        return character == "_" or character.isalnum()
    return character.lower() != character.upper()


def _is_joint(gap: str) -> bool:
    return len(gap) <= _LONGEST_JOINT and bool(_JOINT.fullmatch(gap))


def _lower(text: str) -> str:
    """In lower case and exactly as long: the two letters that would not be are put aside."""
    return text.lower() if text.isascii() else text.replace("İ", "i").lower().replace("ς", "σ")


@lru_cache(maxsize=_MOST_REMEMBERED)
def _phrases(name: str, *words: str) -> tuple[Phrase, ...]:
    spelled = [_lower(phrase).split() for phrase in words or (name.replace("_", " "),)]
    return tuple(
        Phrase(words[0], tuple(words[1:]), _is_word(words[0][0]), _is_word(words[-1][-1]))
        for words in dict.fromkeys(map(tuple, spelled))
        if words
    )
