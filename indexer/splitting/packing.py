"""Cuts a text where it hurts least: between paragraphs, sentences, words, in this order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from indexer.splitting.chunk import MOST_CHARACTERS, weight

_PARAGRAPH: Final = re.compile(r"\n[ \t]*\n\s*")
_LINE: Final = re.compile(r"\n")
_SENTENCE: Final = re.compile(r"(?<=[.!?])[\"')\]]{0,2}\s+|(?<=[。！？])")
_WORD: Final = re.compile(r"\s+")
_FOR_PROSE: Final = (_PARAGRAPH, _SENTENCE, _LINE, _WORD)
_FOR_CODE: Final = (_PARAGRAPH, _LINE, _WORD)


def pack_prose(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Spans that cover `text[start:end]` without a gap, each of at most MOST_CHARACTERS."""
    yield from _packed(text, start, end, _FOR_PROSE)


def pack_lines(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Likewise for code of which no tree helps: by empty lines, lines, words."""
    yield from _packed(text, start, end, _FOR_CODE)


def _packed(
    text: str, start: int, end: int, cuts: tuple[re.Pattern[str], ...]
) -> Iterator[tuple[int, int]]:
    if weight(text[start:end]) <= MOST_CHARACTERS:
        if start < end:
            yield start, end
        return
    if not cuts:
        yield from _by_length(start, end)
        return
    begun, size = start, 0
    for first, last in _parts(text, start, end, cuts[0]):
        adds = weight(text[first:last])
        if size and size + adds > MOST_CHARACTERS:
            yield begun, first
            begun, size = first, 0
        if adds > MOST_CHARACTERS:
            yield from _packed(text, begun, last, cuts[1:])  # and the white space before it
            begun, size = last, 0
        else:
            size += adds
    if begun < end:
        yield begun, end


def _parts(text: str, start: int, end: int, cut: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    """What the cuts separate, each with the cut behind it."""
    begun = start
    for found in cut.finditer(text, start, end):
        if begun < found.end() < end:
            yield begun, found.end()
            begun = found.end()
    yield begun, end


def _by_length(start: int, end: int) -> Iterator[tuple[int, int]]:
    """A run without white space, such as a text without spaces or encoded bytes."""
    for first in range(start, end, MOST_CHARACTERS):
        yield first, min(first + MOST_CHARACTERS, end)
