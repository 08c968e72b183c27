"""How long a first token is waited for before a second provider is asked as well."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from enum import StrEnum
from typing import Final

from shared.settings.turn.hedging import HedgingSettings
from shared.telemetry.metrics import Metrics

_MOST_SAVED_HEDGES: Final = 10.0
"""What a quiet time may save up of the share, so that a slow minute cannot double the load."""

Kind = tuple[str, str, bool]
"""Provider, or `provider@deployment`, model, and whether it streams: the first token of a whole
answer is its last."""


class HedgeEnd(StrEnum):
    """What came of a second call."""

    WON = "won"
    LOST = "lost"
    FAILED = "failed"


class LearnedTimes:
    """What the latest `remembered` calls of one model took.

    Adding one and asking for a percentile take microseconds.
    """

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


class Hedging:
    """Learns in this process what calls take, and says which are late and may be hedged."""

    def __init__(self, settings: HedgingSettings, metrics: Metrics) -> None:
        self._settings = settings
        self._metrics = metrics
        self._times: dict[Kind, LearnedTimes] = {}
        self._saved_hedges = 1.0

    def patience_seconds(self, kind: Kind) -> float | None:
        """The wait after which a call is late; None while that is not known."""
        share = self._settings.largest_share
        self._saved_hedges = min(_MOST_SAVED_HEDGES, self._saved_hedges + share)
        return self._late_after(kind)

    def learn(self, kind: Kind, seconds: float) -> None:
        """A call had its first token after so long."""
        times = self._times.get(kind)
        if times is None:
            remembered = self._settings.remembered_samples
            times = self._times[kind] = LearnedTimes(remembered=remembered)
        times.add(seconds)

    def learn_at_least(self, kind: Kind, seconds: float) -> None:
        """A call was given up after so long without a first token.

        Counted where it was late, or the slow calls would be forgotten just because they are
        given up, and ever faster ones would be late; one given up early says nothing.
        """
        late_after = self._late_after(kind)
        if late_after is not None and seconds >= late_after:
            self.learn(kind, seconds)

    def spend(self) -> bool:
        """Take one hedge out of what may be hedged; False when that is used up."""
        if self._saved_hedges < 1.0:
            return False
        self._saved_hedges -= 1.0
        return True

    def count(self, provider: str, end: HedgeEnd) -> None:
        """Count what came of a call that was made as a hedge."""
        self._metrics.hedges.labels(provider, end).inc()

    def _late_after(self, kind: Kind) -> float | None:
        times, settings = self._times.get(kind), self._settings
        if times is None or len(times) < settings.minimum_samples:
            return None
        return max(settings.shortest_seconds, times.percentile(settings.percentile))
