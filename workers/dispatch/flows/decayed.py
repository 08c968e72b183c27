"""How much of something there was lately."""

from __future__ import annotations

from math import exp
from typing import Final

REMEMBERED_SECONDS: Final = 60.0


class DecayedSum:
    """A sum in which what is `REMEMBERED_SECONDS` old counts for 1/e.

    What is added counts from the last `decay` on, which is to be called each second; so adding,
    which each release does, costs nothing.
    """

    __slots__ = ("_at", "_began", "_sum")

    def __init__(self, began: float) -> None:
        self._sum = 0.0
        self._began = self._at = began

    def add(self, amount: float) -> None:
        self._sum += amount

    def decay(self, now: float) -> None:
        self._sum, self._at = self.sum(now), max(now, self._at)

    def sum(self, now: float) -> float:
        if now <= self._at:
            return self._sum
        return self._sum * exp((self._at - now) / REMEMBERED_SECONDS)

    def per_second(self, now: float) -> float:
        """The rate that a steady flow would have to leave such a sum; 0 in the first second."""
        lasted = now - self._began
        if lasted < 1.0:
            return 0.0
        return self.sum(now) / (REMEMBERED_SECONDS * (1.0 - exp(-lasted / REMEMBERED_SECONDS)))
