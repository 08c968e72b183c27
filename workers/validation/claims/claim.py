"""One value that a sentence gives, and whether it agrees with a fact."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from itertools import islice
from typing import Final, TypeVar

from shared.messages.metadata.facts import DateFact, Fact, MoneyFact, NumberFact
from workers.validation.claims.dates import DateMention, dates_in
from workers.validation.claims.mentions import Mention
from workers.validation.claims.quantities import Quantity, quantities_in
from workers.validation.claims.sentences import Sentence
from workers.validation.claims.statement import joins


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
_DIGITS_OF_AN_AMOUNT: Final = 3


@dataclass(frozen=True, slots=True)
class Claim:
    """A value at its place in a sentence."""

    what: Quantity | DateMention
    bound: Bound = Bound.EXACT
    is_of_its_kind: bool = True
    """False for a number without a currency that may be meant for an amount."""

    @property
    def values(self) -> frozenset[Decimal]:
        return self.what.values if isinstance(self.what, Quantity) else frozenset()

    def words(self, text: str) -> str:
        return text[self.what.start : self.what.end].strip()

    def is_of(self, mention: Mention, text: str) -> bool:
        """Whether the value stands so close to the name that it can be meant for nothing else."""
        if self.what.start >= mention.end:
            return joins(text[mention.end : self.what.start])
        is_count = isinstance(self.what, Quantity) and self.what.currencies is None
        is_count = is_count and self.is_of_its_kind
        between = text[self.what.end : mention.start].split()
        return is_count and self.what.end <= mention.start and len(between) <= 1

    def holds(self, fact: Fact) -> bool:
        """Whether the value agrees with the fact, in one of its readings."""
        match fact:
            case DateFact():
                return isinstance(self.what, DateMention) and self.what.may_be(fact.value)
            case MoneyFact() if not self._fits(fact.currency):
                return False
            case MoneyFact() | NumberFact():
                return any(self._agrees(value, fact.value) for value in self.values)
            case _:
                return True

    def _fits(self, currency: str | None) -> bool:
        named = self.what.currencies if isinstance(self.what, Quantity) else None
        return currency is None or named is None or currency in named

    def _agrees(self, said: Decimal, known: Decimal) -> bool:
        match self.bound:
            case Bound.EXACT:
                # A debt is often told without its sign.
                return said == known or (known < 0 and said == -known)
            case Bound.ROUGH:
                return abs(said - known) <= abs(known) * _ROUGHLY
            case Bound.ABOVE:
                return known >= said
            case Bound.BELOW:
                return known <= said


class Claims:
    """Every value of a text, read once and asked for by sentence."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._dates = list(dates_in(text))
        self._quantities = [
            quantity
            for quantity in quantities_in(text)
            if not any(_overlap(day, quantity) for day in _around(self._dates, quantity))
        ]

    def within(self, sentence: Sentence, fact: Fact) -> Iterator[Claim]:
        """The values of the sentence that may be meant for such a fact."""
        if isinstance(fact, DateFact):
            yield from map(Claim, _inside(self._dates, sentence))
            return
        for quantity in _inside(self._quantities, sentence):
            is_money = quantity.currencies is not None
            is_of_its_kind = is_money is isinstance(fact, MoneyFact)
            if is_of_its_kind or (not is_money and self._looks_like_an_amount(quantity)):
                yield Claim(quantity, self._bound(quantity.start), is_of_its_kind)

    def _looks_like_an_amount(self, quantity: Quantity) -> bool:
        """Whether it has so many digits that it is hardly a count of days or of items."""
        digits = sum(map(str.isdigit, self._text[quantity.start : quantity.end]))
        return digits >= _DIGITS_OF_AN_AMOUNT

    def _bound(self, start: int) -> Bound:
        found = _BOUND.search(self._text[max(0, start - _LOOK_BACK) : start])
        return Bound(found.lastgroup) if found and found.lastgroup else Bound.EXACT


Placed = TypeVar("Placed", Quantity, DateMention)


def _inside(places: list[Placed], sentence: Sentence) -> Iterator[Placed]:
    first = bisect_left(places, sentence.start, key=lambda place: place.start)
    for place in islice(places, first, None):
        if place.start >= sentence.end:
            return
        yield place


def _around(days: list[DateMention], quantity: Quantity) -> list[DateMention]:
    at = bisect_left(days, quantity.start, key=lambda day: day.start)
    return days[max(0, at - 1) : at + 1]


def _overlap(day: DateMention, quantity: Quantity) -> bool:
    return day.start < quantity.end and quantity.start < day.end
