"""By how much one run is better than another, on the cases that both have.

Two questions, two tools: how large it may be is told by a cluster bootstrap; whether it can be
chance by a randomisation test, which swaps the two runs conversation by conversation (Fisher 1935;
Edgington and Onghena, Randomization Tests). A bootstrap of few and rare differences is too sure of
itself; the test is exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import msgspec

from shared.evaluation.bootstrap import RESAMPLES, Estimate
from shared.evaluation.kept_run import Figure
from shared.evaluation.paired.case_figures import CaseFigures
from shared.evaluation.paired.clusters import RULE_OF_THREE, Clusters

if TYPE_CHECKING:
    from shared.evaluation.paired.clusters import Sums

_TAIL: Final = 2.5
_SURE: Final = 99.0
_SEED: Final = 1935


class PairedDifference(msgspec.Struct, frozen=True, kw_only=True):
    """`gain` is how much better the second is, whichever way the figure is better; of costs it is
    the share of the first's that is saved."""

    figure: Figure
    before: float
    after: float
    gain: Estimate
    surely_below: float
    """One of a hundred such comparisons has a gain above this."""
    chance: float
    """How often runs that do not differ show a loss as large."""
    spread: float
    """The standard deviation of the gain."""
    cases: int
    conversations: int
    unpaired: int
    """Cases that only one of the runs has, or can say anything of."""


def difference(
    figure: Figure, before: Mapping[str, CaseFigures], after: Mapping[str, CaseFigures]
) -> PairedDifference | None:
    """None where no case of both says anything of the figure, or no cost can be told."""
    import numpy

    pairs = _pairs(figure, before, after)
    if not pairs:
        return None
    cases = sorted(pairs)
    clusters = Clusters([after[each].conversation for each in cases])
    sums = [clusters.sums([pairs[each][place] for each in cases]) for place in range(4)]
    if not all(float(sums[place].sum()) for place in _NEEDED[figure]):
        return None
    gains = _gains(figure, clusters.drawn(*sums))
    low, high, sure = numpy.nanpercentile(gains, [_TAIL, 100 - _TAIL, _SURE])
    totals = [each.sum(keepdims=True) for each in sums]
    gain = float(_gains(figure, totals)[0])
    room = 0.0 if low < high else RULE_OF_THREE / clusters.count
    return PairedDifference(
        figure=figure,
        before=float(totals[0][0] / totals[1][0]),
        after=float(totals[2][0] / totals[3][0]),
        gain=Estimate(gain, float(low) - room, float(high) + room),
        surely_below=float(sure) + room,
        chance=_chance(figure, sums, gain),
        spread=float(numpy.nanstd(gains)),
        cases=len(cases),
        conversations=clusters.count,
        unpaired=len(before.keys() | after.keys()) - len(cases),
    )


def _pairs(
    figure: Figure, before: Mapping[str, CaseFigures], after: Mapping[str, CaseFigures]
) -> dict[str, tuple[float, float, float, float]]:
    pairs: dict[str, tuple[float, float, float, float]] = {}
    for case in before.keys() & after.keys():
        one, two = before[case].parts(figure), after[case].parts(figure)
        if one is not None and two is not None:
            pairs[case] = (*one, *two)
    return pairs


def _gains(figure: Figure, sums: list[Sums]) -> Sums:
    """Of totals of the four parts, for one draw or for many."""
    import numpy

    with numpy.errstate(divide="ignore", invalid="ignore"):
        one, two = sums[0] / sums[1], sums[2] / sums[3]
        gains = 1 - two / one if figure is Figure.COST_PER_SUCCESS else two - one
    gains[~numpy.isfinite(gains)] = numpy.nan
    return -gains if figure is Figure.HALLUCINATION else gains


def _chance(figure: Figure, sums: list[Sums], gain: float) -> float:
    """Of runs whose conversations are swapped at random, the share with a gain as low."""
    import numpy

    dice = numpy.random.Generator(numpy.random.PCG64(_SEED))
    swapped = dice.integers(2, size=(RESAMPLES, sums[0].size)).astype(numpy.float64)
    totals = [
        one.sum() + swapped @ (other - one)
        for one, other in zip(sums, [*sums[2:], *sums[:2]], strict=True)
    ]
    gains = _gains(figure, totals)
    # The runs as they are count as one of the draws (Phipson and Smyth 2010).
    as_low = int(numpy.sum(gains <= gain + _ROUNDING))
    return (as_low + 1) / (RESAMPLES + 1)


_ROUNDING: Final = 1e-12
_NEEDED: Final = {
    **dict.fromkeys(Figure, (1, 3)),
    # The first's cost as well: savings are a share of it.
    Figure.COST_PER_SUCCESS: (0, 1, 3),
}
