"""What a sentence gives as values, and which of them it gives to whom."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from operator import attrgetter
from typing import Final

from shared.messages.facts import DateFact, Fact, MoneyFact
from workers.validation.claims.agreement import Value
from workers.validation.claims.dates import DateMention
from workers.validation.claims.mentions import Mention
from workers.validation.claims.quantities import Quantity, quantities_in
from workers.validation.claims.sentences import Sentence
from workers.validation.claims.statement import joins

_DIGITS_OF_AN_AMOUNT: Final = 3
_start: Final = attrgetter("start")


class Claims:
    """The values of one sentence; each is read once, however many facts ask for it."""

    def __init__(self, text: str, sentence: Sentence, days: Sequence[DateMention]) -> None:
        """`days` are those of the whole text, in order."""
        self.sentence = sentence
        self._text = text
        self._days = _within(sentence, days) if days else ()
        self._numbers: Sequence[Quantity] | None = None

    def fit_for(self, fact: Fact) -> Sequence[Value]:
        """The values that may be meant for such a fact, in order."""
        if isinstance(fact, DateFact):
            return self._days
        return [quantity for quantity in self._quantities() if self.fits(quantity, fact)]

    def fits(self, value: Value, fact: Fact) -> bool:
        """Whether the value may be meant for such a fact."""
        return is_of_its_kind(value, fact) or (
            isinstance(value, Quantity)
            and value.currencies is None
            and self._looks_like_an_amount(value)
        )

    def beside(self, mention: Mention, fact: Fact) -> Sequence[Value]:
        """The first value behind the name and the last one in front of it, if they fit."""
        values: Sequence[Value] = self._days if isinstance(fact, DateFact) else self._quantities()
        near: Sequence[Value] = values if len(values) == 1 else _around(mention, values)
        return [
            value
            for value in near
            if (value.start >= mention.end or value.end <= mention.start) and self.fits(value, fact)
        ]

    def belongs(self, value: Value, mention: Mention, fact: Fact) -> bool:
        """Whether the value stands so close to the name that it can be meant for nothing else."""
        if value.start >= mention.end:
            return joins(self._text[mention.end : value.start])
        is_count = isinstance(value, Quantity) and value.currencies is None
        between = self._text[value.end : mention.start].split()
        return is_count and is_of_its_kind(value, fact) and len(between) <= 1

    def _quantities(self) -> Sequence[Quantity]:
        if self._numbers is None:
            found = quantities_in(self._text, self.sentence.start, self.sentence.end)
            self._numbers = [
                one for one in found if not self._days or not self._is_part_of_a_day(one)
            ]
        return self._numbers

    def _is_part_of_a_day(self, quantity: Quantity) -> bool:
        at = bisect_left(self._days, quantity.start, key=_start)
        around = self._days[max(0, at - 1) : at + 1]
        return any(day.start < quantity.end and quantity.start < day.end for day in around)

    def _looks_like_an_amount(self, quantity: Quantity) -> bool:
        """Whether it has so many digits that it is hardly a count of days or of items."""
        digits = sum(map(str.isdigit, self._text[quantity.start : quantity.end]))
        return digits >= _DIGITS_OF_AN_AMOUNT


def is_of_its_kind(value: Value, fact: Fact) -> bool:
    """False for a number without a currency that may be meant for an amount."""
    if isinstance(value, Quantity):
        return (value.currencies is not None) is isinstance(fact, MoneyFact)
    return isinstance(fact, DateFact)


def _around(mention: Mention, values: Sequence[Value]) -> Sequence[Value]:
    behind = bisect_left(values, mention.end, key=_start)
    before = behind - 1
    while before >= 0 and values[before].end > mention.start:
        before -= 1
    return (*values[behind : behind + 1], *(values[before : before + 1] if before >= 0 else ()))


def _within(sentence: Sentence, days: Sequence[DateMention]) -> Sequence[DateMention]:
    first = bisect_left(days, sentence.start, key=_start)
    last = first
    while last < len(days) and days[last].start < sentence.end:
        last += 1
    return days[first:last]
