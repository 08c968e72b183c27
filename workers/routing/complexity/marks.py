"""Marks that are looked for in one pass over a text, however many they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import re2


class Marks:
    """Finds marks, each as it stands; the time grows with the text alone."""

    def __init__(self, marks: Sequence[str]) -> None:
        self._marks = tuple(marks)
        self._search = re2.Set.SearchSet()
        for mark in marks:
            self._search.Add(re2.escape(mark))
        self._search.Compile()

    def found(self, encoded: bytes) -> list[str]:
        """Which of the marks the text, in UTF-8, holds; each once, in no order."""
        places = cast("list[int]", self._search.Match(encoded) or [])
        return [self._marks[place] for place in places]
