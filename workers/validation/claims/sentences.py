"""A text in its sentences, so that a claim is read with what stands beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

# A point between digits ends nothing. It begins at a character that may end a sentence and reads
# a run of them once and never again, so its time grows with the text alone.
_END: Final = re.compile(
    r"[.!?。！？\n;](?:(?<=[.!?])(?<![.!?]{2})[.!?]*+[\"”')\]]*+\s++"
    r"|(?<=[。！？])|(?<=\n)\n*+|(?<=;)\s++)"
)
_GAP: Final = 16
"""White space between a colon and the end of its line is looked over so far."""


class Sentence(NamedTuple):
    """The place of a sentence in its text."""

    start: int
    end: int


def sentences_of(text: str) -> Iterator[Sentence]:
    """The sentences of the text, in order; together they are the text."""
    start = 0
    for found in _END.finditer(text):
        first, end = found.span()
        if text[first] == "\n" and text[max(start, first - _GAP) : first].rstrip().endswith(":"):
            continue  # what a colon announces belongs to it, on the next line too
        yield Sentence(start, end)
        start = end
    if start < len(text):
        yield Sentence(start, len(text))
