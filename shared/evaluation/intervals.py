"""How much of a figure is chance: the bootstrap of Efron (1979), over questions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

_ROUNDS: Final = 2000
_AT_ONCE: Final = 100
_SEED: Final = 9
"""The same answers give the same interval."""


class Interval(msgspec.Struct, frozen=True):
    """A mean, and where 95 of 100 means of as many questions drawn again lie."""

    mean: float
    low: float
    high: float

    @property
    def is_above_zero(self) -> bool:
        """Of a difference: whether it is more than chance."""
        return self.low > 0


def interval_of(values: Sequence[float]) -> Interval:
    """Of one figure's values, one for each question; raises ValueError for none."""
    if not values:
        raise ValueError("no question was asked")
    import numpy

    drawn = numpy.random.default_rng(_SEED)
    all_of_them = numpy.asarray(values, numpy.float64)
    means = numpy.concatenate(
        [
            all_of_them[drawn.integers(0, len(values), (_AT_ONCE, len(values)))].mean(axis=1)
            for _ in range(_ROUNDS // _AT_ONCE)
        ]
    )
    low, high = numpy.quantile(means, (0.025, 0.975))
    return Interval(float(all_of_them.mean()), float(low), float(high))


def paired_difference(one: Sequence[float], other: Sequence[float]) -> Interval:
    """By how much `one` is better, of the same questions in the same order.

    Much narrower than the difference of two intervals: a hard question is hard for both.
    """
    return interval_of([first - second for first, second in zip(one, other, strict=True)])
