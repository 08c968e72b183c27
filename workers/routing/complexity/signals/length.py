"""Long texts take more reading."""

from __future__ import annotations

from math import log
from typing import Final

from workers.routing.complexity.reading import QuestionReading

_SHORT_CHARACTERS: Final = 250
_LONG_CHARACTERS: Final = 8_000
_SPAN: Final = log(_LONG_CHARACTERS / _SHORT_CHARACTERS)


def measure(reading: QuestionReading) -> float:
    """0 up to a few sentences, 1 from several pages on; each doubling counts the same."""
    characters = reading.question.characters
    if characters <= _SHORT_CHARACTERS:
        return 0.0
    return min(1.0, log(characters / _SHORT_CHARACTERS) / _SPAN)
