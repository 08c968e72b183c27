"""The window of a stream that is held back, so that no forbidden span leaves in pieces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from workers.validation.verdict import Span

FindSpans = Callable[[str], Sequence[Span]]

_STEP: Final = 32
"""Characters that gather before the window is looked at again: a look costs the same for one."""
_LONGEST_WORD: Final = 256


class StreamScreen:
    """Takes text in pieces and gives out what may leave.

    A span that shows within `window` characters of its beginning never leaves, in whole or in
    part, however the text is cut into pieces. Words leave whole, up to 256 characters. Without a
    `replacement` nothing leaves from the first span on.
    """

    def __init__(self, find_spans: FindSpans, *, window: int, replacement: str | None) -> None:
        self._find_spans = find_spans
        self._window = window
        self._replacement = replacement
        self._held = ""
        self._look_at = window + _STEP
        self._is_shut = False

    def feed(self, piece: str) -> str:
        """What may leave now; empty while the window is not full."""
        self._held += piece
        if self._is_shut or len(self._held) < self._look_at:
            return ""
        released = self._release(self._word_end(len(self._held) - self._window))
        self._look_at = max(self._window, len(self._held)) + _STEP
        return released

    def _release(self, cut: int) -> str:
        pieces: list[str] = []
        done = 0
        for span in self._find_spans(self._held):
            if span.start >= cut:
                break
            if self._replacement is None:
                self._is_shut = True
            if self._replacement is None or span.end > cut:
                cut = span.start
                break
            pieces += (self._held[done : span.start], self._replacement)
            done = span.end
        pieces.append(self._held[done:cut])
        self._held = self._held[cut:]
        return "".join(pieces)

    def _word_end(self, limit: int) -> int:
        """The end of the last whole word before `limit`, unless that word is very long."""
        earliest = max(0, limit - _LONGEST_WORD)
        for position in range(limit, earliest, -1):
            if not "!" <= self._held[position - 1] <= "~":
                return position
        return limit if earliest > 0 else 0
