"""Days in a text, in the spellings that people use."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

import re2

_MONTHS: Final = (
    "jan",
    "feb",
    "mar",
    "apr",
    "may",
    "jun",
    "jul",
    "aug",
    "sep",
    "oct",
    "nov",
    "dec",
)
_MONTH: Final = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_DATE: Final = (
    r"(?i)\b(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})\b"
    r"|\b(?P<first>\d{1,2})[./](?P<second>\d{1,2})[./](?P<year2>\d{4})\b"
    rf"|\b(?P<name>{_MONTH})\.? (?P<day2>\d{{1,2}})(?:st|nd|rd|th)?\b(?:,? (?P<year3>\d{{4}})\b)?"
    rf"|\b(?P<day3>\d{{1,2}})(?:st|nd|rd|th|\.)? (?:of )?(?P<name2>{_MONTH})\b"
    r"(?:,? (?P<year4>\d{4})\b)?"
)
# Found by RE2, since every answer is read through; taken apart by `re`, which is quicker at that.
_found = re2.compile(re.sub(r"\(\?P<\w+>", "(?:", _DATE))
_parts = re.compile(_DATE, re.ASCII)
_MOST_REMEMBERED: Final = 512


class DateMention(NamedTuple):
    """A day at its place: year (None where it is left out), month and day in each reading."""

    start: int
    end: int
    readings: frozenset[tuple[int | None, int, int]]

    def may_be(self, day: datetime.date) -> bool:
        return any(
            (year is None or year == day.year) and (month, number) == (day.month, day.day)
            for year, month, number in self.readings
        )


def dates_in(text: str) -> Iterator[DateMention]:
    """Every day that the text names, in order."""
    for found in _found.finditer(text):
        start, end = found.span()
        if readings := _days(text[start:end]):
            yield DateMention(start, end, readings)


@lru_cache(maxsize=_MOST_REMEMBERED)
def _days(spelled: str) -> frozenset[tuple[int | None, int, int]]:
    parts = _parts.fullmatch(spelled)
    named = {name: part for name, part in parts.groupdict().items() if part} if parts else {}
    return frozenset(_possible(_readings(named))) if named else frozenset()


def _readings(parts: dict[str, str]) -> Iterator[tuple[int | None, int, int]]:
    if "month" in parts:
        yield int(parts["year"]), int(parts["month"]), int(parts["day"])
    elif "first" in parts:
        first, second, year = int(parts["first"]), int(parts["second"]), int(parts["year2"])
        yield year, first, second
        yield year, second, first
    else:
        name = parts.get("name") or parts["name2"]
        year_named = parts.get("year3") or parts.get("year4")
        day = int(parts.get("day2") or parts["day3"])
        month = _MONTHS.index(name[:3].lower()) + 1
        yield (int(year_named) if year_named else None), month, day


def _possible(
    readings: Iterator[tuple[int | None, int, int]],
) -> Iterator[tuple[int | None, int, int]]:
    for year, month, day in readings:
        if 1 <= month <= 12 and 1 <= day <= 31:
            yield year, month, day
