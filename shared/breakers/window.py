"""Outcomes of the last seconds, counted in buckets so that old ones fall out as time goes by."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

BUCKETS: Final = 10
"""The window's grain: a tenth of it falls out at once."""


@dataclass(slots=True)
class _Bucket:
    number: int
    calls: int = 0
    failures: int = 0


class BreakerWindow:
    """Calls and failures of the last `seconds`, and how many failed in a row."""

    def __init__(self, *, seconds: float) -> None:
        self._bucket_seconds = seconds / BUCKETS
        self._buckets: deque[_Bucket] = deque()
        self.calls = 0
        self.failures = 0
        self.failures_in_a_row = 0

    def add(self, *, failed: bool, now: float) -> None:
        """Count one call that ended `now`, in seconds of any clock that never runs backwards."""
        self.forget_before(now)
        number = int(now / self._bucket_seconds)
        if not self._buckets or self._buckets[-1].number != number:
            self._buckets.append(_Bucket(number))
        self._buckets[-1].calls += 1
        self._buckets[-1].failures += failed
        self.calls += 1
        self.failures += failed
        self.failures_in_a_row = self.failures_in_a_row + 1 if failed else 0

    def forget_before(self, now: float) -> None:
        """Drop what has left the window; a row of failures stays one until a call succeeds."""
        oldest = int(now / self._bucket_seconds) - BUCKETS + 1
        while self._buckets and self._buckets[0].number < oldest:
            gone = self._buckets.popleft()
            self.calls -= gone.calls
            self.failures -= gone.failures

    def clear(self) -> None:
        """Begin anew."""
        self._buckets.clear()
        self.calls = self.failures = self.failures_in_a_row = 0
