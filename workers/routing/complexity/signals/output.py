"""Long answers, and answers in a form of their own."""

from __future__ import annotations

from typing import Final

from workers.routing.complexity.reading import QuestionReading, saturating, terms

_LONG_FORMS: Final = terms("""
    article chapter comprehensive dashboard detailed document essay guide in-depth lesson memo
    op-ed outline policy presentation proposal report roadmap runbook script sonnet spec
    specification speech story syllabus thorough whitepaper
""")
_LONG_TOKENS: Final = 4_000
_STRUCTURED: Final = 0.4


def measure(reading: QuestionReading) -> float:
    """By the words for long forms, by the limit that the caller set, by a format of JSON."""
    question = reading.question
    forms = saturating(len(reading.vocabulary & _LONG_FORMS), full=2)
    limit = saturating(question.max_output_tokens or 0, full=_LONG_TOKENS)
    return min(1.0, forms + limit + (_STRUCTURED if question.is_structured else 0.0))
