"""What shadow calls may still cost."""

from __future__ import annotations

from decimal import Decimal

_NOTHING = Decimal(0)


class ShadowBudget:
    """Until one was answered and its cost is known they go one by one; then each under way is
    taken to cost as much as the dearest so far. So no more is spent than the budget, but for one
    that is dearer than all before it.

    A cost that nobody knows counts as that of the dearest; where none is known it ends everything.
    """

    def __init__(self, budget: Decimal) -> None:
        self._budget = budget
        self._dearest: Decimal | None = None
        self._under_way = 0
        self.spent = _NOTHING
        self.unknown = 0

    @property
    def is_blind(self) -> bool:
        """Whether money is spent and nobody knows how much."""
        return self.unknown > 0 and self._dearest is None

    @property
    def is_spent(self) -> bool:
        """Whether nothing fits in any more, whatever comes of what is under way."""
        return self.is_blind or self.spent + (self._dearest or _NOTHING) > self._budget

    def allows_one(self) -> bool:
        """Whether one more may begin now."""
        if self.is_blind or self._dearest is None:
            return not self.is_blind and self._under_way == 0
        return self.spent + self._dearest * (self._under_way + 1) <= self._budget

    def begin(self) -> None:
        """One more is under way."""
        self._under_way += 1

    def end(self, cost: Decimal | None, *, is_answered: bool) -> None:
        """It has ended and cost so much."""
        self._under_way -= 1
        if cost is None:
            self.unknown += 1
        elif is_answered:
            self._dearest = max(cost, self._dearest or _NOTHING)
        self.spent += (self._dearest or _NOTHING) if cost is None else cost
