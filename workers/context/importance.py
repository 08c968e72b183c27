"""How much the rest of a conversation would miss an item: 0 to 1, without asking a model.

    score = 0.40 what it says + 0.25 how recent it is + 0.25 whether later items name its names
          + 0.10 whether it is a question that was answered with figures, or that answer

What it says: figures, names, decisions, questions and code each raise it; a mere "thanks" has
nothing of them. Decisions are recognised in English, everything else in any language.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from shared.messages.input_item import InputItem, Role
from workers.context.remembering import Remembering

_CONTENT, _RECENCY, _REFERRED, _ANSWERED = 0.40, 0.25, 0.25, 0.10

_FIGURES, _NAMES, _DECISION, _QUESTION, _CODE = 0.35, 0.2, 0.5, 0.25, 0.4

_READ_CHARACTERS: Final = 4_000
"""Of a longer text only the beginning is weighed."""
_TERMS: Final = 12

_CODE_MARKS: Final = ("```", ";\n", "{\n", "()", "=>", "</", "\n    ", "\n\t")
_QUESTION_MARKS: Final = ("?", "？", "؟")
# Figures, and words with a capital that begin no sentence. One class of first characters, and all
# conditions behind it, let the search pass over everything else four times as fast.
_TERM = re.compile(r"[0-9A-ZÀ-ÞΑ-ΩА-Я](?<!^\D)(?<![.!?:]\s\D)(?:[\w.,:/-]*\w)?")
_DIGIT = re.compile(r"[0-9]")
_SHORTEST_NAME: Final = 3
_DECISIONS: Final = (
    "agree agreed agreement always approved cancel cancelled chose chosen confirm confirmed "
    "deadline decide decided decision due final instead must name never prefer promise promised "
    "remember require required should"
)
_DECIDING: Final = frozenset(_DECISIONS.split())


class _Weight(NamedTuple):
    content: float
    has_figures: bool
    asks: bool
    terms: frozenset[str]


class Importance:
    """Scores the items of conversations; a text is read once."""

    def __init__(self) -> None:
        self._weight = Remembering(_weigh)

    def scores(self, talk: Sequence[InputItem], texts: Sequence[str]) -> list[float]:
        """One score for each item of the talk, whose texts are `texts`."""
        weights = [self._weight(text) for text in texts]
        referred = _referred(weights)
        last = max(1, len(talk) - 1)
        return [
            _CONTENT * weight.content
            + _RECENCY * place / last
            + _REFERRED * referred[place]
            + _ANSWERED * _is_answered(talk, weights, place)
            for place, weight in enumerate(weights)
        ]


def _weigh(text: str) -> _Weight:
    head = text[:_READ_CHARACTERS]
    found_terms = dict.fromkeys(_TERM.findall(head))
    terms = [term for term in found_terms if len(term) >= _SHORTEST_NAME or term.isdigit()]
    has_figures = _DIGIT.search(head) is not None
    asks = any(mark in head for mark in _QUESTION_MARKS)
    missing = 1.0
    for found, weight in (
        (has_figures, _FIGURES),
        (any(map(str.isalpha, terms)), _NAMES),
        (not _DECIDING.isdisjoint(head.lower().split()), _DECISION),
        (asks, _QUESTION),
        (any(mark in head for mark in _CODE_MARKS), _CODE),
    ):
        if found:
            missing *= 1.0 - weight
    return _Weight(1.0 - missing, has_figures, asks, frozenset(terms[:_TERMS]))


def _referred(weights: Sequence[_Weight]) -> list[float]:
    """For each item the share of its figures and names that come again later."""
    later: set[str] = set()
    shares = [0.0] * len(weights)
    for place in reversed(range(len(weights))):
        terms = weights[place].terms
        if terms:
            shares[place] = len(terms & later) / len(terms)
            later |= terms
    return shares


def _is_answered(talk: Sequence[InputItem], weights: Sequence[_Weight], place: int) -> bool:
    """Whether the item is half of a question and its answer in figures."""
    if talk[place].role is Role.USER:
        question, answer = place, place + 1
    else:
        question, answer = place - 1, place
    if question < 0 or answer >= len(talk) or talk[answer].role is not Role.ASSISTANT:
        return False
    return weights[question].asks and weights[answer].has_figures
