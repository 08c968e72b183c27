"""Conditions that the answer must meet at once, and several tasks in one message."""

from __future__ import annotations

from typing import Final

from workers.routing.complexity.reading import QuestionReading, saturating, terms

_CONDITIONS: Final = terms("""
    although always assuming avoid because before both but cannot constraint constraints despite
    each either ensure evenly exactly except given however if least limited maximum minimum most
    must neither never nobody nor only otherwise provided should suppose then unless until
    whether while without
""")
_SEQUENCE: Final = terms("""
    after afterwards also finally first next second secondly then
""")
_FREE: Final = 1
_BULLETS: Final = ("- ", "* ", "• ")


def measure(reading: QuestionReading) -> float:
    """One condition is usual; every further one, item of a list or question counts."""
    conditions = len(reading.vocabulary & _CONDITIONS)
    steps = len(reading.vocabulary & _SEQUENCE)
    questions = reading.text.count("?")
    items = sum(map(_is_item, reading.lines)) if "\n" in reading.text else 0
    return saturating(max(0, conditions + steps + questions + items - _FREE - 1), full=6)


def _is_item(line: str) -> bool:
    return line.startswith(_BULLETS) or (line[:1].isdigit() and line[1:3] in {". ", ") "})
