"""How long a provider asks us to wait, wherever it says so."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from workers.providers.wire.loose_json import elements, mapping, text_in

LONGEST_WAIT_SECONDS: Final = 86_400.0
"""A wait beyond a day is cut to one: nobody's deadline is longer."""

_IN_WORDS: Final = re.compile(
    r"\b(?:retry|try again|available|reset)s?(?: again)? (?:in|after) (?:about )?"
    r"(?P<wait>\d[\d.]*\s?[a-z]+(?:\s?\d[\d.]*\s?[a-z]+){0,2})",
    re.IGNORECASE,
)
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)\s?([a-z]+)", re.IGNORECASE)
_SECONDS_IN: Final = {
    "ms": 0.001,
    "millisecond": 0.001,
    "s": 1.0,
    "sec": 1.0,
    "second": 1.0,
    "m": 60.0,
    "min": 60.0,
    "minute": 60.0,
    "h": 3_600.0,
    "hour": 3_600.0,
    "d": 86_400.0,
    "day": 86_400.0,
}
_FIELDS: Final = {
    "retry_after_ms": 0.001,
    "retry_after_seconds": 1.0,
    "retry_after": 1.0,
    "retryAfter": 1.0,
    "retryDelay": 1.0,
}
"""Names of fields in error objects, and the seconds of their unit."""


def retry_after(headers: Mapping[str, str], *, now: datetime | None = None) -> float | None:
    """The seconds a server asks us to wait, given in seconds or as a date; None when unsaid."""
    milliseconds = _number(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return _bounded(milliseconds / 1_000)
    text = headers.get("Retry-After", "").strip()
    seconds = _number(text)
    if seconds is not None:
        return _bounded(seconds)
    return _seconds_until(text, now or datetime.now(UTC))


def named_wait(levels: Iterable[Mapping[str, object]], words: str) -> float | None:
    """The wait that the body of an error names, in a field or in a sentence."""
    for level in levels:
        for fields in (level, *map(mapping, elements(level.get("details")))):
            for name, unit in _FIELDS.items():
                seconds = _wait_in(fields.get(name), unit)
                if seconds is not None:
                    return seconds
    found = _IN_WORDS.search(words)
    return _duration(found["wait"]) if found else None


def _wait_in(value: object, unit: float) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = _number(str(value))
        return None if number is None else _bounded(number * unit)
    text = text_in(value).strip()
    number = _number(text)
    return _bounded(number * unit) if number is not None else _duration(text)


def _duration(text: str) -> float | None:
    """Seconds of `34.07s`, `20ms`, `6m0s`, `2 minutes`; None for what is none."""
    parts = _PART.findall(text[:50])
    units = [_unit(name.lower()) for _, name in parts]
    if not parts or units[0] is None:
        return None
    return _bounded(
        sum(float(number) * unit for (number, _), unit in zip(parts, units, strict=True) if unit)
    )


def _unit(name: str) -> float | None:
    return _SECONDS_IN.get(name) or _SECONDS_IN.get(name.removesuffix("s"))


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _bounded(seconds: float) -> float:
    return min(max(0.0, seconds), LONGEST_WAIT_SECONDS)


def _seconds_until(text: str, now: datetime) -> float | None:
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return _bounded((at - now).total_seconds())
