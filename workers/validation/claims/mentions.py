"""Where a sentence speaks of a fact."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Final

import re2

from shared.messages.metadata.facts import Facts

_MOST_REMEMBERED: Final = 512
_LONGEST_JOINT: Final = 24
_JOINT: Final = re.compile(r"(?:[\s,&/]|\b(?:and|or|your|the|my|our|their)\b)+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Mention:
    """The place of the words that name a fact."""

    start: int
    end: int

    def hides(self, other: Mention) -> bool:
        """Whether the other is a part of this longer name."""
        longer = self.end - self.start > other.end - other.start
        return longer and self.start <= other.start and other.end <= self.end


def mentions_in(text: str, facts: Facts) -> dict[str, list[Mention]]:
    """Where the text names each fact: by one of its words, else by its name, whose underscores
    stand for spaces. "Daily limit" does not name the fact "limit" where both are."""
    found = {
        name: [Mention(*place.span()) for place in _pattern(name, *fact.words).finditer(text)]
        for name, fact in facts.items()
    }
    every = sorted(
        (mention for mentions in found.values() for mention in mentions),
        key=lambda mention: (mention.start, -mention.end),
    )
    hidden = {after for before, after in pairwise(every) if before.hides(after)}
    return {
        name: kept
        for name, mentions in found.items()
        if (kept := [mention for mention in mentions if mention not in hidden])
    }


def is_listed(mention: Mention, others: Iterable[Mention], text: str) -> bool:
    """Whether it stands in a list of names ("balance and limit are …"), so that the first value
    behind it need not be its own."""
    return any(
        other.end <= mention.start and _is_joint(text[other.end : mention.start])
        for other in others
    )


def _is_joint(gap: str) -> bool:
    return len(gap) <= _LONGEST_JOINT and bool(_JOINT.fullmatch(gap))


@lru_cache(maxsize=_MOST_REMEMBERED)
def _pattern(name: str, *words: str) -> re2._Regexp[str]:
    phrases = words or (name.replace("_", " "),)
    spelled = (r"\s+".join(map(re2.escape, phrase.split())) for phrase in phrases)
    return re2.compile(rf"(?i)(?:^|\b|\s)(?:{'|'.join(spelled)})(?:s\b|\b|\s|$)")
