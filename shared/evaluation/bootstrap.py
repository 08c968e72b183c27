"""How far a mean over some cases may be off for others of their kind.

The paired percentile bootstrap: Efron and Tibshirani, An Introduction to the Bootstrap (1993),
chapter 13; of test collections Sakai, Evaluating Evaluation Metrics based on the Bootstrap
(SIGIR 2006). The cases are drawn again with replacement, for all systems the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    import numpy
    import numpy.typing

RESAMPLES: Final = 2000
_CONFIDENCE: Final = 95.0
_SEED: Final = 20061
_AT_ONCE: Final = 100


class Estimate(msgspec.Struct, frozen=True):
    """A mean with its 95 % interval."""

    mean: float
    low: float
    high: float


class Bootstrap:
    """Draws once for so many cases; the same draws serve every system, so differences are paired.

    Equal numbers of cases get equal draws, in every process.
    """

    def __init__(self, cases: int) -> None:
        import numpy

        if cases < 1:
            raise ValueError("There is nothing to draw from.")
        self._cases = cases
        dice = numpy.random.Generator(numpy.random.PCG64(_SEED))
        self._shares: numpy.typing.NDArray[numpy.float32] = numpy.empty(
            (RESAMPLES, cases), numpy.float32
        )
        for begun in range(0, RESAMPLES, _AT_ONCE):
            drawn = dice.integers(cases, size=(_AT_ONCE, cases))
            for row, each in enumerate(drawn, start=begun):
                self._shares[row] = numpy.bincount(each, minlength=cases)
        self._shares /= cases

    def mean(self, values: Sequence[float]) -> Estimate:
        """Of one system's values, one for each case."""
        import numpy

        given = numpy.asarray(values, numpy.float32)
        if given.shape != (self._cases,):
            raise ValueError(f"{len(values)} values for {self._cases} cases.")
        tail = (100 - _CONFIDENCE) / 2
        low, high = numpy.percentile(self._shares @ given, [tail, 100 - tail])
        return Estimate(float(given.mean(dtype=numpy.float64)), float(low), float(high))

    def ratio(self, ours: Sequence[float], theirs: Sequence[float]) -> Estimate:
        """The first's mean as a share of the second's, on the same cases in the same order.

        Raises ZeroDivisionError where the second's mean is 0.
        """
        import numpy

        one, other = (numpy.asarray(each, numpy.float32) for each in (ours, theirs))
        if one.shape != (self._cases,) or other.shape != (self._cases,):
            raise ValueError(f"{len(ours)} and {len(theirs)} values for {self._cases} cases.")
        if not other.any():
            raise ZeroDivisionError("The second is 0 on every case.")
        tail = (100 - _CONFIDENCE) / 2
        with numpy.errstate(divide="ignore", invalid="ignore"):
            drawn = (self._shares @ one) / (self._shares @ other)
            low, high = numpy.nanpercentile(drawn, [tail, 100 - tail])
        share = one.mean(dtype=numpy.float64) / other.mean(dtype=numpy.float64)
        return Estimate(float(share), float(low), float(high))

    def difference(self, ours: Sequence[float], theirs: Sequence[float]) -> Estimate:
        """By how much the first is better on the same cases, in the same order."""
        pairs = zip(ours, theirs, strict=True)
        return self.mean([one - other for one, other in pairs])
