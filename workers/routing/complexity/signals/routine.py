"""Plain work: facts to look up, small talk, texts to put otherwise. It lowers the score."""

from __future__ import annotations

from typing import Final

from workers.routing.complexity.reading import QuestionReading, terms

_OPENERS: Final = terms("""
    are bye can capitalise capitalize classify convert correct could define did do does extract
    good hello hey hi how is list name no ok okay paraphrase proofread rephrase shorten spell
    summarise summarize tell thank thanks translate was what what's when where which who who's
    whose yes
""")
_ROUTINE: Final = terms("""
    capital classify correct define definition extract grammar greeting hello hi meaning name
    negative opening paraphrase password phone positive proofread rephrase reset sentiment
    shipping shorten spell spelling status summarise summarize summary synonym synonyms thank
    thanks translate translation typo typos
""")
_SHORT_WORDS: Final = 12
_LONG_WORDS: Final = 60


def measure(reading: QuestionReading) -> float:
    """1 for a short question of fact or a named plain task, fading as the message grows."""
    words = reading.words
    if not words:
        return 1.0
    kind = 0.6 * bool(reading.vocabulary & _ROUTINE) + 0.4 * (words[0] in _OPENERS)
    over = max(0, len(words) - _SHORT_WORDS) / (_LONG_WORDS - _SHORT_WORDS)
    return kind * max(0.0, 1.0 - over)
