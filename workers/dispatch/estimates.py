"""What past calls say about the next ones."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from math import ceil
from typing import Final

from shared.messages.lane import Lane

_KEPT: Final = 500
_ENOUGH: Final = 20
_MEMORY: Final = 50.0
"""Calls after which what was learned counts for 1/e."""
_BELIEF: Final = 5.0
"""So many calls that cost what was estimated stand before the first one of a tenant."""


class CostRatios:
    """Real units of a tenant's calls to the estimated ones.

    It is the ratio of the decayed sums and not the mean of ratios, so that the estimates of many
    calls add up to what they cost, however different they are.
    """

    def __init__(self) -> None:
        self._sums: dict[str, tuple[float, float]] = {}

    def ratio(self, tenant: str) -> float:
        """1 of one that is not known."""
        real, estimated = self._sums.get(tenant, (1.0, 1.0))
        return real / estimated

    def learn(self, tenant: str, *, estimated: float, real: float) -> None:
        """A call that has ended; both in units, `estimated` before any correction."""
        if estimated <= 0 or real < 0:
            return
        known = self._sums.get(tenant)
        sums = known or (_BELIEF * estimated, _BELIEF * estimated)
        keep = 1.0 - 1.0 / _MEMORY
        self._sums[tenant] = sums[0] * keep + real, sums[1] * keep + estimated

    def forget(self, tenant: str) -> None:
        """It begins anew."""
        self._sums.pop(tenant, None)


class ServiceTimes:
    """Seconds from release to end, of the latest calls of each lane."""

    def __init__(self) -> None:
        self._latest: dict[Lane, deque[float]] = {}
        self._sorted: dict[Lane, list[float]] = {}

    def learn(self, lane: Lane, seconds: float) -> None:
        """A call that has ended."""
        latest = self._latest.setdefault(lane, deque())
        ordered = self._sorted.setdefault(lane, [])
        latest.append(seconds)
        insort(ordered, seconds)
        if len(latest) > _KEPT:
            del ordered[bisect_left(ordered, latest.popleft())]

    def quantile(self, lane: Lane, part: float) -> float | None:
        """That of the latest calls; None before there are enough to say."""
        ordered = self._sorted.get(lane, [])
        if len(ordered) < _ENOUGH:
            return None
        return ordered[ceil(part * len(ordered)) - 1]
