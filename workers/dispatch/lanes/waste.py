"""What taking back running calls may cost."""

from __future__ import annotations

from collections import deque
from typing import Final

WASTE_SHARE: Final = 0.05
_HOUR: Final = 3600.0
_STEP: Final = 60.0


class SlidingSum:
    """What there was in the last hour, to the minute."""

    def __init__(self) -> None:
        self._steps: deque[tuple[float, float]] = deque()
        self._sum = 0.0

    def add(self, amount: float, now: float) -> None:
        step = now - now % _STEP
        if self._steps and self._steps[-1][0] >= step:
            at, before = self._steps.pop()
            self._steps.append((at, before + amount))
        else:
            self._steps.append((step, amount))
        self._sum += amount

    def sum(self, now: float) -> float:
        while self._steps and self._steps[0][0] <= now - _HOUR:
            self._sum -= self._steps.popleft()[1]
        return self._sum if self._steps else 0.0


class WasteBudget:
    """Units that taken-back calls may have cost: `share` of those of batch calls in the same hour.

    Past it no call is taken back, and batch calls fill fewer slots, until there is room again for
    what was refused last.
    """

    def __init__(self, share: float = WASTE_SHARE) -> None:
        self._share = share
        self._worked = SlidingSum()
        self._wasted = SlidingSum()
        self._refused = 0.0

    def worked(self, units: float, now: float) -> None:
        """Charged for batch calls, corrections (negative ones too) included."""
        self._worked.add(units, now)

    def spend(self, units: float, now: float) -> bool:
        """Whether so much may be wasted; it is booked where it may."""
        if not self._has_room(units, now):
            self._refused = units
            return False
        self._wasted.add(units, now)
        self._refused = 0.0
        return True

    def is_spent(self, now: float) -> bool:
        """Whether nothing is taken back at the moment."""
        return self._refused > 0 and not self._has_room(self._refused, now)

    def wasted_share(self, now: float) -> float:
        """Part of the hour's batch units that was wasted."""
        worked = self._worked.sum(now)
        return self._wasted.sum(now) / worked if worked > 0 else 0.0

    def _has_room(self, units: float, now: float) -> bool:
        return self._wasted.sum(now) + units <= self._share * self._worked.sum(now)
