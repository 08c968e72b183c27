"""How far a figure may be off for other conversations of their kind, from sums alone.

A figure is a ratio of two sums over whole conversations. Its ends are those of Fieller's theorem
(Some Problems in Interval Estimation, 1954), which needs squares and products beside the sums and
no rows; of plain shares, and of those of 0 or 1, they are Wilson's (1927).
"""

from __future__ import annotations

from math import sqrt
from typing import Final, NamedTuple

_Z: Final = 1.959964
"""Of 95 %."""

Ends = tuple[float | None, float | None]


class PairSums(NamedTuple):
    """Of `size` conversations with a top and a bottom each: both, their squares, their product."""

    size: int
    top: float
    bottom: float
    top_squared: float
    product: float
    bottom_squared: float


def ratio_ends(sums: PairSums) -> Ends:
    """Those of top by bottom, neither of which is ever below 0.

    An end is None where it is nowhere: of a single conversation, and above where the bottom may be
    nothing but chance.
    """
    count = sums.size
    if count < 2:
        return None, None
    top, bottom = sums.top / count, sums.bottom / count
    scale = _Z * _Z / (count - 1)
    # All ratios for which top - ratio * bottom is no further from 0 than chance takes it.
    square = bottom * bottom - scale * (sums.bottom_squared / count - bottom * bottom)
    linear = top * bottom - scale * (sums.product / count - top * bottom)
    constant = top * top - scale * (sums.top_squared / count - top * top)
    root = sqrt(max(0.0, linear * linear - square * constant))
    if square > 0:
        return max(0.0, (linear - root) / square), (linear + root) / square
    if square < 0 < constant:
        return (linear - root) / square, None
    return 0.0, None


def share_ends(sums: PairSums) -> Ends:
    """Those of a ratio that lies between 0 and 1."""
    if not 0 < sums.top < sums.bottom:
        return wilson_ends(sums.top, sums.bottom)
    low, high = ratio_ends(sums)
    if low is None:
        return None, None
    return low, 1.0 if high is None else min(1.0, high)


def wilson_ends(hits: float, count: float) -> Ends:
    """Those of `hits` of `count` that are independent of each other."""
    share, spare = hits / count, _Z * _Z / count
    middle = share + spare / 2
    off = sqrt(spare * (max(0.0, share * (1 - share)) + spare / 4))
    return max(0.0, (middle - off) / (1 + spare)), min(1.0, (middle + off) / (1 + spare))
