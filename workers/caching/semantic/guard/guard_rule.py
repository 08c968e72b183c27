"""Why two questions that look alike are not the same question."""

from __future__ import annotations

from enum import StrEnum


class GuardRule(StrEnum):
    """What the two questions differ in; each has a file of its own beside this one."""

    NUMBERS = "numbers"
    ENTITIES = "entities"
    NEGATION = "negation"
    POLARITY = "polarity"
    QUESTION_TYPE = "question_type"
    ORDER = "order"
    WORDING = "wording"
