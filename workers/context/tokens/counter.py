"""The protocol of everything that counts tokens."""

from __future__ import annotations

from typing import Protocol


class TokenCounter(Protocol):
    """Counts tokens; the same text always has the same number."""

    def count(self, text: str) -> int:
        """The tokens of `text`, 0 for none; never raises."""
        ...
