"""Card numbers: 13 to 19 digits, in groups or not, whose check digit is right. Reads plain text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import re2

_RUN: Final = r"\d(?:[ -]{0,2}\d){12,}"
_GROUP: Final = re.compile(r"\d+", re.ASCII)
_FEWEST, _MOST = 13, 19
_DOUBLED: Final = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
# Airlines, banks, petrol and trade: no payment card begins otherwise.
_FIRST_DIGITS: Final = frozenset("23456")

_run = re2.compile(_RUN)


def card_spans(text: str) -> Iterator[tuple[int, int]]:
    """Where card numbers stand. They begin and end with a group, so that a longer number that
    happens to hold one is left alone, and one that other numbers surround is found."""
    for run in _run.finditer(text):
        groups = [group.span() for group in _GROUP.finditer(text, *run.span())]
        first = 0
        while first < len(groups):
            last = _last_group(text, groups, first)
            if last is None:
                first += 1
            else:
                yield groups[first][0], groups[last][1]
                first = last + 1


def _last_group(text: str, groups: list[tuple[int, int]], first: int) -> int | None:
    """The last group of the longest card number that begins with the group `first`."""
    digits, found = "", None
    start = groups[first][0]
    if text[start] not in _FIRST_DIGITS or _is_fraction(text, start):
        return None
    for index in range(first, len(groups)):
        digits += text[slice(*groups[index])]
        if len(digits) > _MOST:
            break
        if len(digits) >= _FEWEST and passes_luhn(digits):
            found = index
    return found


def _is_fraction(text: str, start: int) -> bool:
    return start > 1 and text[start - 1] in ".," and text[start - 2].isdigit()


def passes_luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of those before it."""
    numbers = [int(digit) for digit in reversed(digits)]
    return (sum(numbers[::2]) + sum(_DOUBLED[number] for number in numbers[1::2])) % 10 == 0
