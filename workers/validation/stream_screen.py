"""The end of a stream that is held back, so that no forbidden span leaves in pieces."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from string import ascii_letters
from typing import Final

from shared.secrets_in_text import DASHES, INVISIBLE, LATIN, MARKS, WIDE, PlainText
from workers.validation.verdict import ForbiddenSpan

FindSpans = Callable[[str], Sequence[ForbiddenSpan]]

_STEP: Final = 32
"""Characters that gather before a window is looked at again: a look costs the same for one."""
_LONGEST_WORD: Final = 256
_LONGEST_BEGINNING: Final = 64
"""Within so many characters every built-in pattern shows."""
# Whatever may stand inside a key, a number or an address is within a word: signs and letters of
# ASCII and the Latin scripts, dashes, wide signs, what nobody sees. Other scripts need no gaps.
_WORD_END: Final = re.compile(rf"[^!-~{LATIN}{DASHES}{WIDE}{INVISIBLE}]")
_DASHED: Final = rf"(?:[-{DASHES}]{MARKS}*){{5}}"
_TRACE: Final = re.compile(rf"\d|[@\uff20]|{_DASHED}")
"""What every span of a built-in pattern holds."""
_FIVE_DASHES: Final = re.compile(_DASHED)
_KEY_BEGINS: Final = "-----BEGIN"
_BETWEEN_DIGITS: Final = " \t\r\n-*_"
"""What may stand between the digits of one number, when they are read plainly."""
_OPEN_BOLD: Final = re.compile(r"\d\*\*\d[^*\n]{0,40}\*{0,2}\Z")
"""Bold or a power: what comes next tells."""
_BEGINS_ANEW: Final = re.compile(rf"\s|.(?=[^\\`*_{INVISIBLE}])", re.DOTALL)
"""Behind these, a mark is read as if nothing stood before it, or there is no mark."""
_BLANKS: Final = frozenset(" \n")
_QUIET: Final = frozenset(f"{ascii_letters}.,;:!?()")
"""Behind these no number goes on, however it is read."""


class StreamScreen:
    """Takes text in pieces and gives out what may leave.

    No forbidden span leaves, in whole or in part, however the text is cut into pieces. With a
    `window` that holds for spans that show within so many characters of their beginning. Without
    one only built-in patterns may be looked for: those go on behind white space only after a
    digit, so words leave as soon as they are whole. Without a `replacement` nothing leaves from
    the first span on.
    """

    def __init__(self, find_spans: FindSpans, *, window: int, replacement: str | None) -> None:
        self._find_spans = find_spans
        self._window = window
        self._replacement = replacement
        self._held = ""
        self._look_at = window + _STEP
        self._is_shut = False

    def feed(self, piece: str) -> str:
        """What may leave now; empty while it has to be held back."""
        self._held += piece
        if self._is_shut:
            return ""
        if not self._window:
            return self._words(piece)
        if len(self._held) < self._look_at:
            return ""
        released = self._release(self._word_end(len(self._held) - self._window))
        self._look_at = max(self._window, len(self._held)) + _STEP
        return released

    def _words(self, piece: str) -> str:
        """The words that are whole, up to the last that no span can go on behind."""
        held = self._held
        if len(held) <= _LONGEST_WORD + _LONGEST_BEGINNING:
            if not _WORD_END.search(piece):
                return ""
            cut = self._quiet_end()
        else:
            cut = self._quiet_end() or self._word_end(len(held) - _LONGEST_BEGINNING)
        if _TRACE.search(held):
            return self._release(min(cut, self._key_begins()))
        self._held = held[cut:]
        return held[:cut]

    def _key_begins(self) -> int:
        """Where a private key may begin whose first line is not here yet."""
        if _FIVE_DASHES.search(self._held):
            plain = PlainText(self._held)
            at = plain.text.rfind(_KEY_BEGINS)
            if at >= 0 and len(plain.text) - at < _LONGEST_BEGINNING:
                return plain.span(at, at + 1)[0]
        return len(self._held)

    def _quiet_end(self) -> int:
        """The last end of a word that is no number."""
        held = self._held
        unread = _OPEN_BOLD.search(held) if "**" in held else None
        for position in range(unread.start() if unread else len(held), 0, -1):
            if "!" <= held[position - 1] <= "~":
                continue  # the usual letter, told without asking a pattern
            if held[position - 2 : position - 1] in _QUIET and held[position - 1] in _BLANKS:
                return position
            if _WORD_END.match(held, position - 1) and _BEGINS_ANEW.match(held, position - 1):
                before = PlainText(held[max(0, position - _LONGEST_BEGINNING) : position]).text
                if not before.rstrip(_BETWEEN_DIGITS)[-1:].isdigit():
                    return position
        return 0

    def _release(self, cut: int) -> str:
        pieces: list[str] = []
        done = 0
        for span in self._find_spans(self._held):
            if span.start >= cut:
                break
            if self._replacement is None:
                self._is_shut = True
            # One that reaches the end of what is here may go on in the next piece.
            if self._replacement is None or span.end > cut or span.end == len(self._held):
                cut = span.start
                break
            pieces += (self._held[done : span.start], self._replacement)
            done = span.end
        pieces.append(self._held[done:cut])
        self._held = self._held[cut:]
        return "".join(pieces)

    def _word_end(self, limit: int) -> int:
        """The end of the last whole word before `limit`, unless that word is very long."""
        held = self._held
        earliest = max(0, limit - _LONGEST_WORD)
        for position in range(limit, earliest, -1):
            if _WORD_END.match(held, position - 1) and _BEGINS_ANEW.match(held, position - 1):
                return position
        return limit if earliest > 0 else 0
