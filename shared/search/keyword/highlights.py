"""Where in a passage the words stand: the server counts bytes, people and Python characters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from shared.search.keyword.keyword_store import Highlight
from shared.search.point import Passage

_FIELDS: Final = ("symbol", "header", "body")


class _Bounds(msgspec.Struct, frozen=True):
    start: int
    length: int


def highlights_of(passage: Passage, positions: object) -> tuple[Highlight, ...]:
    """Those that lie within the fields; raises `ValidationError` where `positions` are none."""
    told = msgspec.convert(positions or {}, Mapping[str, list[_Bounds]])
    return tuple(
        each
        for field in _FIELDS
        for each in _of_field(field, getattr(passage, field) or "", told.get(field, []))
    )


def _of_field(field: str, text: str, bounds: Sequence[_Bounds]) -> Iterator[Highlight]:
    data = text.encode()
    at = characters = 0
    for start, end in sorted({(each.start, each.start + each.length) for each in bounds}):
        if not at <= start < end <= len(data):  # within another, or not in this text
            continue
        first = characters + _characters(data[at:start])
        characters = first + _characters(data[start:end])
        at = end
        yield Highlight(field, first, characters)


def _characters(data: bytes) -> int:
    return len(data.decode(errors="replace"))
