"""What was found out about a text, kept for the next turn of its conversation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

Found = TypeVar("Found")

_TEXTS: Final = 16_384


class Remembering(Generic[Found]):
    """Calls `look` once for each text; the oldest findings go first.

    A text is known by its hash alone, which has 64 bits and a secret of the process in it, so that
    no conversation stays in memory.
    """

    def __init__(self, look: Callable[[str], Found], *, texts: int = _TEXTS) -> None:
        self._look = look
        self._texts = texts
        self._found: dict[int, Found] = {}

    def __call__(self, text: str) -> Found:
        found = self._found.get(hash(text))
        return self._keep(text) if found is None else found

    def of(self, texts: Sequence[str]) -> list[Found]:
        """What was found out about each of the texts."""
        known = self._found.get
        return [
            self._keep(text) if (found := known(hash(text))) is None else found for text in texts
        ]

    def _keep(self, text: str) -> Found:
        found = self._look(text)
        if len(self._found) >= self._texts:
            del self._found[next(iter(self._found))]
        self._found[hash(text)] = found
        return found
