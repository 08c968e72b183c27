"""One spelling for body and question, in time that grows with their length alone."""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import Final

_MOST_MARKS: Final = 30
_JOINER: Final = "\u034f"


def folded(text: str) -> str:
    """NFKC: ligatures, full-width letters and decomposed accents as they are typed.

    More than 30 marks upon one letter are parted by U+034F, as Unicode's stream-safe format does
    (UAX 15): Python sorts them in a time that grows with their square.
    """
    if text.isascii():
        return text
    marks = bytes(map(_is_mark, text))
    if bytes([True]) * (_MOST_MARKS + 1) in marks:
        text = _parted(text, marks)
    return unicodedata.normalize("NFKC", text)


def _parted(text: str, marks: bytes) -> str:
    parts: list[str] = []
    run = 0
    for character, is_mark in zip(text, marks, strict=True):
        run = run + 1 if is_mark else 0
        if run > _MOST_MARKS:
            parts.append(_JOINER)
            run = 1
        parts.append(character)
    return "".join(parts)


@cache
def _is_mark(character: str) -> bool:
    """Whether it is sorted among the marks of the letter before it, once it is decomposed."""
    return unicodedata.combining(unicodedata.normalize("NFKD", character)[0]) != 0
