"""Some of many, the same ones each time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import TypeVar

_T = TypeVar("_T")


def some_of(many: Iterable[_T], limit: int, *, by: Callable[[_T], str] = str) -> list[_T]:
    """At most `limit`, by a digest of their names: a smaller sample is a part of a larger one.

    A limit of 0 takes all.
    """
    ordered = sorted(many, key=lambda each: hashlib.sha256(by(each).encode()).digest())
    return ordered[:limit] if limit else ordered
