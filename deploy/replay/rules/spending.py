"""What a tenant with a cap has spent today, and what its messages in flight may still cost."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

DAY_SECONDS: Final = 86_400


class SpendingRules:
    """Billionths of a dollar, and days of the clock of the scripts."""

    __slots__ = ("_reserved_for", "day", "reserved", "spent")

    def __init__(self, day: int) -> None:
        self.day = day
        self.spent = 0
        self.reserved = 0
        self._reserved_for: dict[str, int] = {}

    def look(self, today: int) -> None:
        """Another day begins with nothing spent on it."""
        if self.day < today:
            self.day, self.spent = today, 0

    def wait(self, price: int, cap: int, now: float) -> float:
        """Seconds until so much may be spent; 0 where it may."""
        if self.spent + self.reserved + price <= cap:
            return 0.0
        midnight = (now // DAY_SECONDS + 1) * DAY_SECONDS - now
        return min(1.0, midnight) if self.spent + price <= cap else midnight

    def reserve(self, message_id: str, price: int) -> None:
        self._reserved_for[message_id] = price
        self.reserved += price

    def release(self, ended: Iterable[str]) -> None:
        """Their leases ran out: they are settled or lost, and reserve nothing more."""
        for message_id in ended:
            amount = self._reserved_for.pop(message_id, 0)
            self.reserved = max(0, self.reserved - amount)

    def settle(self, message_id: str, cost: int | None, today: int) -> None:
        """One has ended; None is unknown: what was reserved is charged."""
        amount = self._reserved_for.pop(message_id, None)
        if amount is None:
            return
        self.look(today)
        self.spent += amount if cost is None else cost
        self.reserved = max(0, self.reserved - amount)
