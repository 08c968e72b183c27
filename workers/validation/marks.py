"""The marks by which an answer refers to passages: `[1]`, `[1, 3]`, `【2】`, outside of code.

They are read and taken out piece by piece, and the same whatever pieces a text comes in. A mark
takes the blanks before it along; at the beginning of a line it takes one behind it instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

_FENCE: Final = 3
"""So many backticks begin a block of code, which goes on over lines."""
_MARK: Final = r"[\[【] ?\d{1,3}(?:[,;] ?\d{1,3}){0,9} ?[\]】]"
_TOKEN: Final = re.compile(rf"(?P<ticks>`+)|(?P<line>\n)|[ \t]{{0,8}}(?P<mark>{_MARK})(?!\()")
"""A number in brackets before a parenthesis is a link."""
_UNDECIDED: Final = re.compile(
    rf"(?:`+|[ \t]{{1,8}}|[ \t]{{0,8}}(?:[\[【][\d ,;]{{0,64}}|{_MARK}))\Z"
)
"""What may be the beginning of a token, at the end of what has come."""
_NUMBER: Final = re.compile(r"\d+")


class Citing(NamedTuple):
    """A mark that stood before the character `at` of the text without marks."""

    at: int
    numbers: tuple[int, ...]


class MarkReader:
    """Takes a text in pieces and gives it out without its marks, which it notes."""

    def __init__(self) -> None:
        self.citings: list[Citing] = []
        self._held = ""
        self._length = 0
        self._at_line_start = True
        self._takes_blank = False
        self._code = 0
        """How many backticks end the code that is open; 0 outside of it."""

    def feed(self, piece: str) -> str:
        """What is certain now to be no mark, and no blank before one."""
        held = self._held + piece
        undecided = _UNDECIDED.search(held)
        end = undecided.start() if undecided else len(held)
        self._held = held[end:]
        return self._read(held, end)

    def close(self) -> str:
        """The rest: nothing comes any more."""
        held, self._held = self._held, ""
        return self._read(held, len(held))

    def _read(self, held: str, end: int) -> str:
        return "".join(self._told(held, end))

    def _told(self, held: str, end: int) -> Iterator[str]:
        at = 0
        for token in _TOKEN.finditer(held):
            if token.end() > end:
                break
            if token["mark"] is None:
                self._note_code(token)
            elif not self._code:
                yield self._text(held[at : token.start()])
                if self._at_line_start:
                    yield self._text(token[0][: -len(token["mark"])])
                    self._takes_blank = True
                self._note(token["mark"])
                at = token.end()
        yield self._text(held[at:end])

    def _note_code(self, token: re.Match[str]) -> None:
        if token["line"]:
            self._code = self._code if self._code >= _FENCE else 0
        elif not self._code:
            self._code = len(token[0])
        elif len(token[0]) == self._code:
            self._code = 0

    def _note(self, mark: str) -> None:
        numbers = tuple(map(int, _NUMBER.findall(mark)))
        self.citings.append(Citing(self._length, numbers))

    def _text(self, text: str) -> str:
        if not text:
            return ""
        if self._takes_blank:
            self._takes_blank = False
            text = text.removeprefix(" ")
        if text:
            self._at_line_start = text[-1] == "\n"
        self._length += len(text)
        return text


def citings_in(text: str) -> tuple[str, list[Citing]]:
    """The text without its marks, and these."""
    reader = MarkReader()
    told = reader.feed(text) + reader.close()
    return told, reader.citings


def unknown_numbers(citings: Iterable[Citing], passages: int) -> list[int]:
    """The numbers among them that are no passage's."""
    return [number for each in citings for number in each.numbers if not 1 <= number <= passages]
