"""Numbers and amounts in a text, in the spellings that people use."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

_CODES: Final = "USD|EUR|GBP|CHF|JPY|CAD|AUD|NZD|SEK|NOK|DKK|PLN|CZK|CNY|INR|BRL|MXN|SGD|HKD"
_CURRENCIES: Final = {
    "US$": frozenset({"USD"}),
    "$": frozenset({"USD", "CAD", "AUD", "NZD", "MXN", "SGD", "HKD"}),
    "€": frozenset({"EUR"}),
    "£": frozenset({"GBP"}),
    "¥": frozenset({"JPY", "CNY"}),
    "DOLLAR": frozenset({"USD", "CAD", "AUD", "NZD", "SGD", "HKD"}),
    "EURO": frozenset({"EUR"}),
    "POUND": frozenset({"GBP"}),
}
_SCALES: Final = {"k": 3, "thousand": 3, "m": 6, "million": 6, "bn": 9, "billion": 9}
# Each starts at a digit or at a place that a digit decides, so that all of them take time that
# grows with the text alone.
_NUMBER: Final = re.compile(r"(?<!\w)\d+(?:[.,'’\xa0\u202f]\d+)*", re.ASCII)
_BEFORE: Final = re.compile(rf"([-−]?)(US\$|[$€£¥]|\b(?:{_CODES}))?[ \xa0]?([-−]?)$", re.ASCII)
_AFTER: Final = re.compile(
    r"(?:(k|m|bn)\b|[ \xa0]?(thousand|million|billion)\b)?"
    rf"(?:[ \xa0]?([$€£¥]|(?:{_CODES})\b|[Dd]ollars?\b|[Ee]uros?\b|[Pp]ounds?\b))?",
    re.ASCII,
)
_LONGEST_BEFORE: Final = 6


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number at its place. `values` holds more than one where its spelling is ambiguous, as
    `1,234` is; `currencies` holds what its sign may mean and is None where it names none."""

    start: int
    end: int
    values: frozenset[Decimal]
    currencies: frozenset[str] | None = None


def quantities_in(text: str) -> Iterator[Quantity]:
    """Every number of the text, in order; digits inside a word are none."""
    for found in _NUMBER.finditer(text):
        if values := readings(found[0]):
            yield _quantity(text, *found.span(), values)


def _quantity(text: str, start: int, end: int, values: frozenset[Decimal]) -> Quantity:
    sign, before, inner = _groups(_BEFORE.search(text[max(0, start - _LONGEST_BEFORE) : start]))
    after = _AFTER.match(text, end)
    letter, word, behind = _groups(after)
    first = start - len(f"{sign}{before}{inner}")
    if power := _SCALES.get(letter or word, 0):
        values = frozenset(value.scaleb(power) for value in values)
    if (sign or inner) and not _joins(text, first):
        values = frozenset(-value for value in values)
    unit = before or behind
    last = after.end() if after else end
    return Quantity(first, last, values, _currencies(unit) if unit else None)


def _groups(found: re.Match[str] | None) -> tuple[str, str, str]:
    first, second, third = found.groups("") if found else ("", "", "")
    return first, second, third


def readings(number: str) -> frozenset[Decimal]:
    """What the digits with their points and commas may mean; empty where it is no number."""
    if number.isdigit():
        return frozenset({Decimal(number)})
    plain = "".join(character for character in number if character.isdigit() or character in ".,")
    marks = [character for character in plain if character in ".,"]
    if not marks:
        return frozenset({Decimal(plain)})
    last = marks[-1]
    whole, _, fraction = plain.rpartition(last)
    found: set[Decimal] = set()
    if last not in whole and _is_grouped(whole, marks[0]):
        found.add(Decimal(f"{_digits(whole)}.{fraction}"))
    if len(set(marks)) == 1 and _is_grouped(plain, last):
        found.add(Decimal(_digits(plain)))
    return frozenset(found)


def _is_grouped(number: str, mark: str) -> bool:
    """Whether the marks, where there are any, stand before every three digits."""
    first, *groups = number.split(mark)
    return not groups or (1 <= len(first) <= 3 and all(len(group) == 3 for group in groups))


def _digits(number: str) -> str:
    return number.replace(".", "").replace(",", "")


def _joins(text: str, start: int) -> bool:
    """Whether the sign joins and does not negate, as in "3-5" and "A-7"."""
    return start > 0 and (text[start - 1].isalnum() or text[start - 1] == "_")


def _currencies(unit: str) -> frozenset[str]:
    known = _CURRENCIES.get(unit) or _CURRENCIES.get(unit.upper().removesuffix("S"))
    return known or frozenset({unit})
