"""Answers of 4 KB for the guardrail: the easiest that there is, and the hardest."""

from __future__ import annotations

import json
from itertools import cycle
from typing import Final

from shared.messages.facts import FACTS_KEY, facts_of
from workers.validation.validator import Question

SIZE: Final = 4096

_KNOWN: Final[dict[str, tuple[dict[str, object], str]]] = {
    "balance": ({"type": "money", "value": 1047.15, "currency": "USD"}, "$1,047.15"),
    "credit_limit": ({"type": "money", "value": 5000, "currency": "USD"}, "$5,000.00"),
    "daily_limit": ({"type": "money", "value": 750, "currency": "USD"}, "$750.00"),
    "minimum_payment": ({"type": "money", "value": 35.5, "currency": "USD"}, "$35.50"),
    "last_payment": ({"type": "money", "value": 12345.67, "currency": "USD"}, "$12,345.67"),
    "open_orders": ({"type": "number", "value": 304}, "304"),
    "reward_points": ({"type": "number", "value": 12840}, "12,840"),
    "interest_rate": ({"type": "number", "value": 19.99}, "19.99 %"),
    "due_date": ({"type": "date", "value": "2026-12-01"}, "December 1, 2026"),
    "order_status": ({"type": "text", "value": "shipped"}, "shipped"),
}
"""Ten facts, and how an answer tells each of them truly."""


def question() -> Question:
    """With ten facts, instructions of 300 characters and an amount that the user named."""
    facts = {name: fact for name, (fact, _) in _KNOWN.items()}
    parts = [dict(list(facts.items())[:5]), dict(list(facts.items())[5:])]
    metadata = {f"{FACTS_KEY}.{number}": json.dumps(part) for number, part in enumerate(parts)}
    return Question(
        instructions=("You are the friendly assistant of a bank. " * 8,),
        conversation=("I paid $300 last week. Tell me all about my account.",),
        facts=facts_of(metadata),
    )


def prose() -> str:
    """No number, no fact."""
    return ("Nothing at all is said here about any sum or number, but this is a text. " * 60)[:SIZE]


def claims() -> str:
    """Short sentences, each of which states one of the ten facts as it is."""
    said = (
        f"Your {name.replace('_', ' ')} is {told}. " for name, (_, told) in cycle(_KNOWN.items())
    )
    text = ""
    while len(text) < SIZE:
        text += next(said)
    return text[:SIZE].rpartition(". ")[0] + "."
