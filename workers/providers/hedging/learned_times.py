"""What the latest calls of one model took, kept sorted."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque


class LearnedTimes:
    """The latest `remembered` times; adding one and asking for a percentile take microseconds."""

    def __init__(self, *, remembered: int) -> None:
        self._remembered = remembered
        self._latest: deque[float] = deque()
        self._sorted: list[float] = []

    def __len__(self) -> int:
        return len(self._latest)

    def add(self, seconds: float) -> None:
        """Remember one more; the oldest beyond `remembered` is forgotten."""
        if len(self._latest) == self._remembered:
            del self._sorted[bisect_left(self._sorted, self._latest.popleft())]
        self._latest.append(seconds)
        insort(self._sorted, seconds)

    def percentile(self, share: float) -> float:
        """The time that `share` of the calls did not exceed; there must be one at least."""
        return self._sorted[min(int(share * len(self._sorted)), len(self._sorted) - 1)]
