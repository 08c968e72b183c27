"""What was found out about a text, kept for the next turn of its conversation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Generic, TypeVar

Found = TypeVar("Found")

_TEXTS: Final = 16_384


class Remembering(Generic[Found]):
    """Calls `look` once for each text; the oldest findings go first.

    A text is known by its hash and its length, so that no conversation stays in memory.
    """

    def __init__(self, look: Callable[[str], Found], *, texts: int = _TEXTS) -> None:
        self._look = look
        self._texts = texts
        self._found: dict[tuple[int, int], Found] = {}

    def __call__(self, text: str) -> Found:
        key = (hash(text), len(text))
        found = self._found.get(key)
        if found is None:
            found = self._look(text)
            if len(self._found) >= self._texts:
                del self._found[next(iter(self._found))]
            self._found[key] = found
        return found
