"""Whether a value in a text agrees with a fact."""

from __future__ import annotations

import re
from decimal import Decimal
from enum import StrEnum
from typing import Final

from shared.messages.facts import DateFact, Fact, MoneyFact, NumberFact
from workers.validation.claims.dates import DateMention
from workers.validation.claims.quantities import Quantity

Value = Quantity | DateMention


class Bound(StrEnum):
    """How exactly a value is meant."""

    EXACT = "exact"
    ROUGH = "rough"
    ABOVE = "above"
    BELOW = "below"


_BOUND: Final = re.compile(
    r"(?:(?P<rough>about|around|roughly|approximately|approx\.?|nearly|almost|~|≈)"
    r"|(?P<above>over|above|more than|at least|exceeds|greater than|>=?|≥)"
    r"|(?P<below>under|below|less than|at most|up to|lower than|<=?|≤))\s*$",
    re.IGNORECASE,
)
_ROUGHLY: Final = Decimal("0.05")
_LOOK_BACK: Final = 16


def agrees(value: Value, fact: Fact, text: str) -> bool:
    """Whether the value is the fact's, in one of its readings."""
    match fact:
        case MoneyFact() | NumberFact():
            return isinstance(value, Quantity) and _is_meant(value, fact, text)
        case DateFact():
            return isinstance(value, DateMention) and value.may_be(fact.value)
        case _:
            return True


def _is_meant(said: Quantity, fact: MoneyFact | NumberFact, text: str) -> bool:
    if isinstance(fact, MoneyFact) and not _fits(said, fact.currency):
        return False
    known = fact.value
    # Whatever bound is put on it, a value that is the fact's own agrees.
    if known in said.values:
        return True
    bound = _bound(text, said.start)
    return any(_holds(value, bound, known) for value in said.values)


def _fits(said: Quantity, currency: str | None) -> bool:
    return currency is None or said.currencies is None or currency in said.currencies


def _bound(text: str, start: int) -> Bound:
    found = _BOUND.search(text[max(0, start - _LOOK_BACK) : start])
    return Bound(found.lastgroup) if found and found.lastgroup else Bound.EXACT


def _holds(said: Decimal, bound: Bound, known: Decimal) -> bool:
    match bound:
        case Bound.EXACT:
            # A debt is often told without its sign.
            return known < 0 and said == -known
        case Bound.ROUGH:
            return abs(said - known) <= abs(known) * _ROUGHLY
        case Bound.ABOVE:
            return known >= said
        case Bound.BELOW:
            return known <= said
