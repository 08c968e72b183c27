"""Other languages than English."""

from __future__ import annotations

from typing import Final

from workers.routing.complexity.reading import QuestionReading, terms

_FUNCTION_WORDS: Final = terms("""
    a an and are as at be by can do does for from give has have hello hey hi how i in is it make
    me my not of on or our please thank thanks that the this to up was we what when where which
    who why will with write you your
""")
_ENOUGH_WORDS: Final = 4
_SAMPLE_WORDS: Final = 60
_USUAL_SHARE: Final = 0.3


def measure(reading: QuestionReading) -> float:
    """1 where hardly one of English's small words is used, whatever the script."""
    words = reading.words[:_SAMPLE_WORDS]
    if reading.text.isascii() and len(words) < _ENOUGH_WORDS:
        return 0.0
    english = sum(word in _FUNCTION_WORDS for word in words)
    return max(0.0, 1.0 - english / (len(words) * _USUAL_SHARE)) if words else 0.0
