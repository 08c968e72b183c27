"""A text without the ways to spell the same: one normaliser, and the way back to what was written.

Models write numbers with narrow spaces, en dashes and bold groups, and text from elsewhere brings
zero-width characters and the digits of other scripts. Whoever reads for values, names or secrets
reads this, and tells where he found them in the text itself.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from string import punctuation
from typing import Final

_SPACES: Final = "\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
DASHES: Final = "\u2010-\u2015\u2212\ufe58\ufe63\uff0d"
WIDE: Final = "\uff01-\uff5e"
"""ASCII as wide as the signs of East Asia."""
INVISIBLE: Final = "\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufe00-\ufe0f\ufeff"
"""Characters nobody sees, as a class of `re`."""

# What stays one character, in other clothes.
_OTHER: Final = re.compile(f"[{_SPACES}{DASHES}{WIDE}]|(?![0-9])\\d")
_SPACE: Final = re.compile(f"[{_SPACES}]")
_DASH: Final = re.compile(f"[{DASHES}]")
MARKS: Final = rf"[{INVISIBLE}\\`*_]"
"""What may be taken out: the invisible, and Markdown's escapes, code marks and emphasis."""
_MARKS: Final = re.compile(f"{MARKS}+")
_IN_ASCII: Final = "\\`*_"
_ASCII_MARKS: Final = re.compile(r"[\\`*_]+")
_GAPS: Final = frozenset(("", " ", "\n", "\t", "\r"))
_ESCAPABLE: Final = frozenset(punctuation)
_BOLD: Final = len("**")
_CLOSES_BEHIND: Final = re.compile(r"\d[^*\n]{0,40}\*\*(?!\d)")


class PlainText:
    """What was written, plainly. `text` is what to read; `span` leads back."""

    __slots__ = ("_cuts", "_shifts", "text")

    def __init__(self, written: str) -> None:
        self._cuts: list[int] = []
        self._shifts: list[int] = [0]
        if not written.isascii():
            self.text = self._without_marks(_OTHER.sub(_as_usual, written), _MARKS)
        elif any(mark in written for mark in _IN_ASCII):
            self.text = self._without_marks(written, _ASCII_MARKS)
        else:
            self.text = written

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where in what was written a part of `text` stands that is not empty."""
        if not self._cuts:
            return start, end
        first = start + self._shifts[bisect_right(self._cuts, start)]
        return first, end + self._shifts[bisect_right(self._cuts, end - 1)]

    def _without_marks(self, text: str, marks: re.Pattern[str]) -> str:
        pieces: list[str] = []
        done, taken = 0, 0
        for found in marks.finditer(text):
            for start, end in _taken_out(text, *found.span()):
                pieces.append(text[done:start])
                self._cuts.append(start - taken)
                taken += end - start
                self._shifts.append(taken)
                done = end
        return "".join((*pieces, text[done:])) if pieces else text


def _taken_out(text: str, position: int, end: int) -> Iterator[tuple[int, int]]:
    """The parts of a run of marks that mean nothing."""
    while position < end:
        mark, following = text[position], position + 1
        if mark == "\\":
            if text[following : following + 1] in _ESCAPABLE:
                yield position, following
                following += 1  # what it escapes is meant as it stands
        elif mark in "*_":
            while following < end and text[following] == mark:
                following += 1
            if _is_emphasis(text, position, following):
                yield position, following
        else:
            yield position, following
        position = following


def _is_emphasis(text: str, start: int, end: int) -> bool:
    """Whether the marks open or close: a star between blanks, or between digits, multiplies."""
    before, after = text[start - 1 : start], text[end : end + 1]
    if text[start] == "_":
        return before.isalnum() is not after.isalnum()
    opens = not before.isalnum() and after not in _GAPS
    closes = not after.isalnum() and before not in _GAPS
    if opens or closes:
        return True
    return end - start == _BOLD and _CLOSES_BEHIND.match(text, end) is not None


def _as_usual(found: re.Match[str]) -> str:
    character = found[0]
    if _SPACE.match(character):
        return " "
    if _DASH.match(character):
        return "-"
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    return chr(ord(character) - 0xFEE0)  # a wide letter or sign of ASCII
