"""The guard: every rule looks at every pair before an answer is served again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from workers.caching.semantic.guard.entities import differ_in_entities
from workers.caching.semantic.guard.guard_rule import GuardRule
from workers.caching.semantic.guard.negation import differ_in_negation
from workers.caching.semantic.guard.numbers import differ_in_numbers
from workers.caching.semantic.guard.order import differ_in_order
from workers.caching.semantic.guard.polarity import differ_in_polarity
from workers.caching.semantic.guard.question import GuardedQuestion
from workers.caching.semantic.guard.question_type import differ_in_question_type
from workers.caching.semantic.guard.wording import differ_in_wording

_RULES: Final[dict[GuardRule, Callable[[GuardedQuestion, GuardedQuestion], bool]]] = {
    GuardRule.NUMBERS: differ_in_numbers,
    GuardRule.ENTITIES: differ_in_entities,
    GuardRule.NEGATION: differ_in_negation,
    GuardRule.POLARITY: differ_in_polarity,
    GuardRule.QUESTION_TYPE: differ_in_question_type,
    GuardRule.ORDER: differ_in_order,
    GuardRule.WORDING: differ_in_wording,
}


def refusal(asked: GuardedQuestion, stored: GuardedQuestion) -> GuardRule | None:
    """The first rule by which the two ask for different answers; the same words always pass.

    English only. It refuses more than it must: a refusal costs one call of a model, what it lets
    through costs a wrong answer.
    """
    if asked.lower == stored.lower:
        return None
    return next((rule for rule, differ in _RULES.items() if differ(asked, stored)), None)
