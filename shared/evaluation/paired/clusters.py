"""Sums by conversation, drawn again with replacement: cases of one are no independent ones.

A cluster bootstrap: Cameron, Gelbach and Miller, Bootstrap-Based Improvements for Inference with
Clustered Errors (2008); figures are ratios of sums, so that weights and costs per success are drawn
as they are told.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from shared.evaluation.bootstrap import RESAMPLES, Estimate

if TYPE_CHECKING:
    import numpy
    import numpy.typing

    Sums = numpy.typing.NDArray[numpy.float64]

_SEED: Final = 20061
_AT_ONCE: Final = 100
_TAIL: Final = 2.5
RULE_OF_THREE: Final = 3.0
"""Where none of n was seen, fewer than 3 in n are there, 95 times of 100 (Hanley and
Lippman-Hand, JAMA 1983)."""


class Clusters:
    """The conversations of some cases. Equal numbers of them get equal draws, in every process."""

    def __init__(self, conversations: Sequence[str]) -> None:
        import numpy

        names = {name: place for place, name in enumerate(dict.fromkeys(conversations))}
        if not names:
            raise ValueError("There is nothing to draw from.")
        self.count = len(names)
        self._places = numpy.array([names[each] for each in conversations])

    def sums(self, values: Sequence[float]) -> Sums:
        """Of one value for each case, its sum in each conversation."""
        import numpy

        summed = numpy.zeros(self.count)
        numpy.add.at(summed, self._places, numpy.asarray(values, numpy.float64))
        return summed

    def drawn(self, *sums: Sums) -> list[Sums]:
        """Each sum over all conversations, for every draw; the same draws for all of them."""
        import numpy

        dice = numpy.random.Generator(numpy.random.PCG64(_SEED))
        totals = [numpy.empty(RESAMPLES) for _ in sums]
        for begun in range(0, RESAMPLES, _AT_ONCE):
            times = dice.multinomial(
                self.count, numpy.full(self.count, 1 / self.count), size=_AT_ONCE
            )
            for total, each in zip(totals, sums, strict=True):
                total[begun : begun + _AT_ONCE] = times @ each
        return totals


def ratio_of(above: Sequence[float], below: Sequence[float], clusters: Clusters) -> Estimate | None:
    """A sum as a share of another, with its 95 % interval; None where the other is 0.

    Draws in which the other is 0 are left out: the figure is of those in which there is something.
    """
    import numpy

    if not sum(below):
        return None
    ones, others = clusters.drawn(clusters.sums(above), clusters.sums(below))
    kept = others != 0
    low, high = numpy.percentile(ones[kept] / others[kept], [_TAIL, 100 - _TAIL])
    return Estimate(sum(above) / sum(below), float(low), float(high))


def widened(share: Estimate, clusters: int) -> Estimate:
    """A share of 0..1 whose interval is not narrower than so many conversations can make it."""
    room = RULE_OF_THREE / clusters
    low = max(0.0, share.mean - room) if share.low == share.high else share.low
    high = min(1.0, share.mean + room) if share.low == share.high else share.high
    return Estimate(share.mean, low, high)
