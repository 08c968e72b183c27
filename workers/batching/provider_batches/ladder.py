"""The deadline ladder: how long a provider's batch may be waited for, and how long one takes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from math import ceil, log10
from typing import Final

_MARGIN: Final = timedelta(seconds=30)
_EXPONENT: Final = 0.56
_FEWEST: Final = 5
"""So few batches say nothing about the next."""


def latest_wait(accepted_at: datetime, deadline: datetime) -> datetime:
    """When a message must be answered by a call of its own, whatever a batch is about to bring.

    What is left then is minutes of its window to the power of .56, in minutes: 59 of 24 hours, 10
    of one, and more than there is of a minute.
    """
    minutes = max(0.0, (deadline - accepted_at).total_seconds() / 60)
    return deadline - timedelta(minutes=minutes**_EXPONENT) - _MARGIN


class BatchDurations:
    """What batches of one provider took, by their size: p95 decides which messages can wait."""

    def __init__(self, took: Iterable[tuple[int, float]], *, expected_seconds: float) -> None:
        """`took` is requests and seconds of each; `expected_seconds` stands where too few were
        of a size."""
        self._expected = expected_seconds
        self._by_size: dict[int, list[float]] = {}
        for requests, seconds in took:
            self._by_size.setdefault(_size_of(requests), []).append(seconds)
        for seconds_of_size in self._by_size.values():
            seconds_of_size.sort()

    def p95(self, requests: int) -> float:
        """Seconds within which nineteen of twenty batches of that size end."""
        took = self._by_size.get(_size_of(requests), ())
        if len(took) < _FEWEST:
            return self._expected
        return took[ceil(0.95 * len(took)) - 1]


def _size_of(requests: int) -> int:
    """Sizes of one power of ten are alike."""
    return int(log10(max(1, requests)))
