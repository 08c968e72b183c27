"""A long conversation refers to itself."""

from __future__ import annotations

from typing import Final

from workers.routing.complexity.reading import QuestionReading, saturating

_LONG: Final = 16
"""Messages, answers included."""


def measure(reading: QuestionReading) -> float:
    """0 for the first message of a conversation, 1 from eight exchanges on."""
    return saturating(reading.question.earlier, full=_LONG)
