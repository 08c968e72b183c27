"""What filters ask for: Meilisearch compares texts without regard to case, and cuts them.

A tenant `acme` would see what is `ACME`'s, and of a path 468 bytes would count. So texts are asked
for by their digests, which differ where the texts do.
"""

from __future__ import annotations

import hashlib
import math
import struct
from typing import Final

from shared.search.generation import KEYWORDS
from shared.search.label import (
    ATTRIBUTES,
    EVERYBODY,
    READERS,
    attribute_values,
    number_name,
    reader,
)
from shared.search.point import Passage, Scope

_LEAST, _MOST = -math.inf, math.inf
_SIGN: Final = 1 << 63
_ALL: Final = (1 << 64) - 1


def key_of(field: str, value: str) -> str:
    """Of one value of one field."""
    return f"{field}-{_digest(value, field)}"


def keys_of(passage: Passage, scope: Scope) -> list[str]:
    """All of a passage, in one field of the index."""
    values = [("tenant", scope.tenant), *((field, getattr(passage, field)) for field in KEYWORDS)]
    values += [(READERS, reader(each)) for each in passage.principals] or [(READERS, EVERYBODY)]
    values += [(ATTRIBUTES, each) for each in attribute_values(passage.attributes)]
    return [key_of(field, value) for field, value in values]


def numbers_of(passage: Passage) -> list[str]:
    """Attributes that are numbers, each with its key before it, so that they sort as texts."""
    return [
        _number(f"numbers.{number_name(key)}", float(value))
        for key, value in passage.attributes.items()
        if not isinstance(value, str | bool)
    ]


def bounds_of(field: str, bounds: dict[str, float]) -> tuple[str, str]:
    """The least and the largest of `numbers_of` that lie within."""
    least = bounds.get("gte", _LEAST)
    most = bounds.get("lte", _MOST)
    if "gt" in bounds:
        least = max(least, math.nextafter(bounds["gt"], _MOST))
    if "lt" in bounds:
        most = min(most, math.nextafter(bounds["lt"], _LEAST))
    return _number(field, least), _number(field, most)


def _number(field: str, value: float) -> str:
    """IEEE 754 sorts as whole numbers do, once the negative ones are turned round."""
    (bits,) = struct.unpack(">Q", struct.pack(">d", value + 0.0))  # -0.0 is 0.0
    turned = bits ^ _ALL if bits & _SIGN else bits | _SIGN
    return f"{_digest(field, 'numbers')}-{turned:016x}"


def _digest(value: str, field: str) -> str:
    return hashlib.blake2b(value.encode(), digest_size=16, key=field.encode()).hexdigest()
