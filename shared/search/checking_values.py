"""Numbers, texts and vectors that engines half apply or take silently."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from shared.errors import InvalidRequest

MOST_POINTS: Final = 1000
"""Of one call: each call holds the engine from start to end."""
LONGEST_KEYWORD: Final = 4096
LARGEST_INTEGER: Final = 2**53 - 1
"""Engines compare numbers as floats of 64 bits."""


def check_vector(name: str, vector: Sequence[float]) -> None:
    """Points with NaN would be counted and never found, and zeros have no direction."""
    if not isinstance(vector, list) or not set(map(type, vector)) <= {float, int}:
        raise wrong(name, type(vector).__name__, "use a list of numbers")
    try:
        length = math.hypot(*vector)
    except OverflowError:
        length = math.inf
    if not 1e-6 <= length <= 1e6:
        raise wrong(name, f"length {length}", "use finite numbers that are not all zero")


def check_keyword(name: str, value: str) -> None:
    check_text(name, value, LONGEST_KEYWORD)


def check_integer(name: str, value: int, *, least: int, most: int) -> None:
    if type(value) is not int or not least <= value <= most:
        raise wrong(name, value, f"use a whole number from {least} to {most}")


def check_text(name: str, value: str, longest: int) -> None:
    if not isinstance(value, str):
        raise wrong(name, value, "use text")
    if len(value) > longest:
        raise wrong(name, f"{len(value)} characters", f"use at most {longest}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise wrong(name, value, "it has half a surrogate pair: clean it") from None


def check_size(name: str, vector: Sequence[float], size: int) -> None:
    if len(vector) != size:
        raise wrong(name, f"{len(vector)} dimensions", f"this generation has {size}")


def wrong(name: str, value: object, fix: str) -> InvalidRequest:
    """Of a number its size at most: Python refuses to write out a very long one."""
    if isinstance(value, int) and value.bit_length() > 64:
        value = f"a number of {value.bit_length()} bits"
    told = ascii(value)[:80]
    return InvalidRequest(f"{name}: {told} cannot be used; {fix}.", param=name)
