"""Numbers and amounts in a text, in the spellings that people use."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache
from typing import Final, NamedTuple

_CODES: Final = (
    "USD|EUR|GBP|CHF|JPY|CAD|AUD|NZD|SEK|NOK|DKK|PLN|CZK|CNY|INR|BRL|MXN|SGD|HKD"
    "|KRW|TRY|UAH|VND|THB|ILS|PHP|ZAR|HUF|RON"
)
_SIGNS: Final = "$€£¥₹₩₺₴₫฿₪₱"
_CURRENCIES: Final = {
    "US$": frozenset({"USD"}),
    "$": frozenset({"USD", "CAD", "AUD", "NZD", "MXN", "SGD", "HKD"}),
    "€": frozenset({"EUR"}),
    "£": frozenset({"GBP"}),
    "¥": frozenset({"JPY", "CNY"}),
    "₹": frozenset({"INR"}),
    "₩": frozenset({"KRW"}),
    "₺": frozenset({"TRY"}),
    "₴": frozenset({"UAH"}),
    "₫": frozenset({"VND"}),
    "฿": frozenset({"THB"}),
    "₪": frozenset({"ILS"}),
    "₱": frozenset({"PHP"}),
    "DOLLAR": frozenset({"USD", "CAD", "AUD", "NZD", "SGD", "HKD"}),
    "EURO": frozenset({"EUR"}),
    "POUND": frozenset({"GBP"}),
}
_SCALES: Final = {"k": 3, "thousand": 3, "m": 6, "million": 6, "bn": 9, "billion": 9}
# Each starts at a digit or at a place that a digit decides, so that all of them take time that
# grows with the text alone.
# A blank groups where three digits stand behind each: a longer number is more than one.
_NUMBER: Final = re.compile(
    r"(?<!\w)(?:\d{1,3}(?: \d{3})+(?!\d)(?:[.,]\d+)?|\d+(?:[.,'’\xa0\u202f]\d+)*)", re.ASCII
)
_BEFORE: Final = re.compile(rf"([-−]?)(US\$|[{_SIGNS}]|\b(?:{_CODES}))?[ \xa0]?([-−]?)$", re.ASCII)
_AFTER: Final = re.compile(
    r"(?:(k|m|bn)\b|[ \xa0]?(thousand|million|billion)\b)?"
    rf"(?:[ \xa0]?([{_SIGNS}]|(?:{_CODES})\b|[Dd]ollars?\b|[Ee]uros?\b|[Pp]ounds?\b))?",
    re.ASCII,
)
_LONGEST_BEFORE: Final = 6
_MOST_REMEMBERED: Final = 1024
"""Numbers whose readings are kept: an answer repeats its amounts, and so do its corrections."""
_NOTHING: Final = ("", "", "")
_DOLLARS: Final = ("", "$", "")
_BLANKS: Final = frozenset(" \xa0")
_SYMBOLS: Final = frozenset(_SIGNS)
_ENDS_BEFORE: Final = _SYMBOLS | set("-−") | {code[-1] for code in _CODES.split("|")}
_BEGINS_AFTER: Final = _SYMBOLS | set("kmbtDdEePp \xa0") | {code[0] for code in _CODES.split("|")}


class Quantity(NamedTuple):
    """A number at its place. `values` holds more than one where its spelling is ambiguous, as
    `1,234` is; `currencies` holds what its sign may mean and is None where it names none."""

    start: int
    end: int
    values: frozenset[Decimal]
    currencies: frozenset[str] | None = None


def quantities_in(text: str, start: int = 0, end: int | None = None) -> Iterator[Quantity]:
    """Every number that begins between the two places, in order; digits in a word are none."""
    for found in _NUMBER.finditer(text, start, len(text) if end is None else end):
        if values := readings(found[0]):
            yield _quantity(text, *found.span(), values)


def _quantity(text: str, start: int, end: int, values: frozenset[Decimal]) -> Quantity:
    sign, before, inner = _before(text, start)
    letter, word, behind, last = _after(text, end)
    first = start - len(sign) - len(before) - len(inner)
    if power := _SCALES.get(letter or word, 0):
        values = frozenset(value.scaleb(power) for value in values)
    if (sign or inner) and not _joins(text, first):
        values = frozenset(-value for value in values)
    unit = before or behind
    if not unit and " " in text[start:end]:
        # "The top 5 200-page books": without a currency it may be one number or several.
        values |= {Decimal(part) for part in text[start:end].split() if part.isdigit()}
    return Quantity(first, last, values, _currencies(unit) if unit else None)


def _before(text: str, start: int) -> tuple[str, str, str]:
    """A sign, a unit and a sign again in front of the number."""
    mark = text[start - 1 : start]
    if mark in _BLANKS:
        mark = text[start - 2 : start - 1]
    if mark not in _ENDS_BEFORE:
        return _NOTHING
    if mark == "$" and text[start - 2 : start] == " $":
        return _DOLLARS
    found = _BEFORE.search(text[max(0, start - _LONGEST_BEFORE) : start])
    first, second, third = found.groups("") if found else ("", "", "")
    return first, second, third


def _after(text: str, end: int) -> tuple[str, str, str, int]:
    """A scale as a letter or a word and a unit behind the number, and where they end."""
    if text[end : end + 1] in _BEGINS_AFTER and (found := _AFTER.match(text, end)):
        letter, word, unit = found.groups("")
        return letter, word, unit, found.end()
    return "", "", "", end


@lru_cache(maxsize=_MOST_REMEMBERED)
def readings(number: str) -> frozenset[Decimal]:
    """What the digits with their points and commas may mean; empty where it is no number."""
    if number.isdigit():
        return frozenset((Decimal(number),))
    if not number.isascii() or "'" in number or " " in number:
        number = "".join(mark for mark in number if mark.isdigit() or mark in ".,")
    points, commas = number.count("."), number.count(",")
    if not points and not commas:
        return frozenset((Decimal(number),))
    last = "." if number.rfind(".") > number.rfind(",") else ","
    whole, _, fraction = number.rpartition(last)
    found: list[Decimal] = []
    if last not in whole and _is_grouped(whole, "," if last == "." else "."):
        found.append(Decimal(f"{_digits(whole)}.{fraction}"))
    if (not points or not commas) and _is_grouped(number, last):
        found.append(Decimal(_digits(number)))
    return frozenset(found)


def _is_grouped(number: str, mark: str) -> bool:
    """Whether the marks, where there are any, stand before every three digits; or, as in India,
    before the last three and before every two in front of them."""
    first, *groups = number.split(mark)
    if not groups:
        return True
    *further, last = (len(group) for group in groups)
    thousands = len(first) <= 3 and all(length == 3 for length in further)
    lakhs = mark == "," and len(first) <= 2 and all(length == 2 for length in further)
    return len(first) > 0 and last == 3 and (thousands or lakhs)


def _digits(number: str) -> str:
    return number.replace(".", "").replace(",", "")


def _joins(text: str, start: int) -> bool:
    """Whether the sign joins and does not negate, as in "3-5" and "A-7"."""
    return start > 0 and (text[start - 1].isalnum() or text[start - 1] == "_")


def _currencies(unit: str) -> frozenset[str]:
    known = _CURRENCIES.get(unit) or _CURRENCIES.get(unit.upper().removesuffix("S"))
    return known or frozenset({unit})
