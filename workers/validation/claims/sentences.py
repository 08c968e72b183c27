"""A text in its sentences, so that a claim is read with what stands beside it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import re2

# A point between digits ends nothing.
_END: Final = r"[.!?]+[\"”')\]]*\s+|[。！？]|\n+|;\s+"
_end = re2.compile(_END)


@dataclass(frozen=True, slots=True)
class Sentence:
    """The place of a sentence in its text."""

    start: int
    end: int


def sentences_of(text: str) -> Iterator[Sentence]:
    """The sentences of the text, in order; together they are the text."""
    start = 0
    for end in _end.finditer(text):
        if text[start : end.end()].rstrip().endswith(":"):
            continue  # what a colon announces belongs to it, on the next line too
        yield Sentence(start, end.end())
        start = end.end()
    if start < len(text):
        yield Sentence(start, len(text))
