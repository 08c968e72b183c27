"""How much the rest of a conversation would miss an item: 0 to 1, without asking a model.

    score = 0.40 what it says + 0.25 how recent it is + 0.25 whether later items name its names
          + 0.10 whether it is a question that was answered with figures, or that answer

What it says: figures, names, decisions, questions and code each raise it; a mere "thanks" has
nothing of them. Decisions are recognised in English, everything else in any language.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple, cast

import re2

from shared.messages.item import Item, Role
from workers.context.tokens import Remembering

_CONTENT, _RECENCY, _REFERRED, _ANSWERED = 0.40, 0.25, 0.25, 0.10

_READ_CHARACTERS: Final = 4_000
"""Of a longer text only the beginning is weighed."""
_TERMS: Final = 24

# Figures, and words with a capital that begin no sentence. One class of first characters, and all
# conditions behind it, let the search pass over everything else four times as fast.
_TERM = re.compile(r"[0-9A-ZÀ-ÞΑ-ΩА-Я](?<![.!?:]\s\D)(?:[\w.,:/-]+\w|(?<=\d)\d?)")
_TERM_IN_ASCII = re.compile(_TERM.pattern, re.ASCII)
"""The same, a fifth faster."""
_BEGIN: Final = ". "
"""Put before a text, it lets its first word begin a sentence like any other."""
_DECISIONS: Final = (
    "agree agreed agreement always approved cancel cancelled chose chosen confirm confirmed "
    "deadline decide decided decision due final instead must name never prefer promise promised "
    "remember require required should"
)


# What else raises an item, and what is left of 1 when it does.
_SIGNS: Final = (
    (r"[0-9]", 0.65),
    (r"[?？؟]", 0.75),
    (r"```|;\n|\{\n|\(\)|=>|</|\n    |\n\t", 0.6),
    (rf"(?i)\b(?:{_DECISIONS.replace(' ', '|')})\b", 0.5),
)
_FIGURES, _QUESTION = 0, 1
_LEFT_BY_NAMES: Final = 0.8


class _Weight(NamedTuple):
    content: float
    has_figures: bool
    asks: bool
    terms: list[str]


class Importance:
    """Scores the items of conversations; a text is read once."""

    def __init__(self) -> None:
        self._weights = Remembering(_weigh)

    def scores(self, talk: Sequence[Item], texts: Sequence[str]) -> list[float]:
        """One score for each item of the talk, whose texts are `texts`."""
        weights = self._weights.of(texts)
        referred = _referred(weights)
        answered = _answered(talk, weights)
        by_place = _RECENCY / max(1, len(talk) - 1)
        return [
            _CONTENT * weight.content + by_place * place + _REFERRED * share + _ANSWERED * is_half
            for place, (weight, share, is_half) in enumerate(
                zip(weights, referred, answered, strict=True)
            )
        ]


def _compiled(patterns: Iterable[str]) -> re2.Set:
    """All of them in one pass over a text, whose time grows with the text alone."""
    compiled = re2.Set.SearchSet()
    for pattern in patterns:
        compiled.Add(pattern)
    compiled.Compile()
    return compiled


_signs: Final = _compiled(pattern for pattern, _ in _SIGNS)


def _weigh(text: str) -> _Weight:
    head = text[:_READ_CHARACTERS]
    pattern = _TERM_IN_ASCII if head.isascii() else _TERM
    terms = pattern.findall(_BEGIN + head)[:_TERMS]
    signs = cast("list[int]", _signs.Match(head.encode("utf-8", "replace")) or [])
    missing = _LEFT_BY_NAMES if any(map(str.isalpha, terms)) else 1.0
    for sign in signs:
        missing *= _SIGNS[sign][1]
    return _Weight(1.0 - missing, _FIGURES in signs, _QUESTION in signs, terms)


def _referred(weights: Sequence[_Weight]) -> list[float]:
    """For each item the share of its figures and names that come again later."""
    later: set[str] = set()
    shares = [0.0] * len(weights)
    for place in reversed(range(len(weights))):
        terms = weights[place].terms
        if terms:
            shares[place] = sum(map(later.__contains__, terms)) / len(terms)
            later.update(terms)
    return shares


def _answered(talk: Sequence[Item], weights: Sequence[_Weight]) -> list[bool]:
    """For each item whether it is half of a question and its answer in figures."""
    halves = [False] * len(weights)
    for answer in range(1, len(weights)):
        if weights[answer - 1].asks and weights[answer].has_figures:
            roles = talk[answer - 1].role, talk[answer].role
            if roles == (Role.USER, Role.ASSISTANT):
                halves[answer - 1] = halves[answer] = True
    return halves
