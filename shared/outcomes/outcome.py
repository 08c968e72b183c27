"""What one conversation came to, and when that is a success."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Final

import msgspec

HALLUCINATIONS: Final = frozenset({"facts", "amounts", "grounding"})
"""The validators that catch what is not so."""
CONVERSATIONS: Final = "conversations"
SUMS: Final = (
    *(CONVERSATIONS, "completed", "successes", "handed_off", "negative", "asked_again"),
    *("turns", "caught", "verdicts", "unknown_costs", "score", "cost"),
)
"""What the day of an outcome adds up."""
SPREADS: Final = (
    *("caught_squared", "caught_turns", "turns_squared"),
    *("score_squared", "score_verdicts", "verdicts_squared", "cost_squared", "success_cost"),
)
"""Beside them: squares and products of each conversation, so that intervals need no rows."""


class ConversationOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """One closed conversation; the columns of its table."""

    key: str
    tenant_id: str
    version: str
    model: str
    route: str
    """The provider that gave the last answer."""
    variant: str
    closed_at: datetime
    turns: int
    caught: int
    """Turns in which something was caught that is not so."""
    is_completed: bool
    """Whether it ended with a whole answer of a model or of the cache."""
    is_handed_off: bool
    is_negative: bool
    is_asked_again: bool
    verdicts: int
    score: float
    """The sum of what people's verdicts are worth, each 0 to 1."""
    cost: Decimal
    unknown_costs: int

    @property
    def is_success(self) -> bool:
        """Completed, by no person, spoken against by nobody, not asked again in other words."""
        against = self.is_handed_off or self.is_negative or self.is_asked_again
        return self.is_completed and not against

    @property
    def end(self) -> str:
        """What it came to, in one word; the first that holds."""
        if self.is_handed_off:
            return "handed_off"
        if not self.is_completed:
            return "not_completed"
        if self.is_negative:
            return "negative"
        return "asked_again" if self.is_asked_again else "success"

    @property
    def names(self) -> tuple[str, ...]:
        """The row of its day."""
        day = f"{self.closed_at:%Y-%m-%d}"
        return day, self.tenant_id, self.version, self.model, self.route, self.variant

    def sums(self) -> tuple[int | float | Decimal, ...]:
        """What it adds to its day, in the order of SUMS and SPREADS."""
        cost = float(self.cost)
        return (
            *(1, int(self.is_completed), int(self.is_success), int(self.is_handed_off)),
            *(int(self.is_negative), int(self.is_asked_again), self.turns, self.caught),
            *(self.verdicts, self.unknown_costs, self.score, self.cost),
            *(self.caught**2, self.caught * self.turns, self.turns**2),
            *(self.score**2, self.score * self.verdicts, self.verdicts**2),
            *(cost * cost, cost * self.is_success),
        )


def outcome_key(tenant_id: str, name: str) -> str:
    """Of a conversation, or of a message that is in none."""
    return hashlib.blake2b(f"{tenant_id}\0{name}".encode(), digest_size=32).hexdigest()


def day_changes(
    changes: Iterable[tuple[ConversationOutcome | None, ConversationOutcome]],
) -> dict[tuple[str, ...], list[int | float | Decimal]]:
    """What each day's row gains by outcomes that take the place of others, or of none."""
    found: dict[tuple[str, ...], list[int | float | Decimal]] = {}
    for before, after in changes:
        for each, sign in ((before, -1), (after, 1)):
            if each is None:
                continue
            row = found.setdefault(each.names, [0] * len(SUMS + SPREADS))
            for nth, value in enumerate(each.sums()):
                row[nth] += sign * value  # type: ignore[operator] # each keeps its own kind
    return found
