"""How long things took, counted in fixed buckets: what is kept is as much for one as for millions.

A quantile is told to within its bucket: between 20 ms and 5 minutes it is at most two thirds off,
and mostly less than a tenth, since it is placed in the bucket by its rank.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import Final

import msgspec

# fmt: off
BOUNDS: Final = (
    .005, .01, .02, .03, .05, .075, .1, .15, .2, .3, .5, .75, 1, 1.5, 2, 3, 5, 7.5, 10, 15, 20, 30,
    45, 60, 90, 120, 180, 300, 600, 1_800, 7_200,
)
# fmt: on
"""The upper bounds of the buckets, in seconds; the last has none. They are never changed: what was
counted in other buckets cannot be told apart again."""
BUCKETS: Final = len(BOUNDS) + 1
_MILLISECONDS: Final = tuple(round(bound * 1_000) for bound in BOUNDS)


def bucket_of(milliseconds: int) -> int:
    """Where it is counted; a bound belongs to the bucket below."""
    return bisect_left(_MILLISECONDS, milliseconds)


class Histogram(msgspec.Struct, frozen=True):
    """`counts` of each bucket, and the sum of all that was counted."""

    counts: tuple[int, ...] = (0,) * BUCKETS
    seconds: float = 0.0

    @property
    def count(self) -> int:
        """How many were counted."""
        return sum(self.counts)

    @property
    def mean(self) -> float | None:
        """Exact, in seconds; None of nothing."""
        return self.seconds / count if (count := self.count) else None

    def quantile(self, q: float) -> float | None:
        """In seconds, to within its bucket; None of nothing.

        Above the last bound it is the last bound. Raises ValueError for a q outside of 0..1.
        """
        if not 0 <= q <= 1:
            raise ValueError(f"A quantile is between 0 and 1, not {q}.")
        rank = q * self.count
        below = 0
        for bucket, count in enumerate(self.counts):
            if count and below + count >= rank:
                return _placed(bucket, max(0.0, rank - below) / count)
            below += count
        return None

    def share_within(self, seconds: float) -> float | None:
        """The share of those that took no longer; None of nothing.

        Exact where `seconds` is one of BOUNDS, otherwise told by the next bound below it.
        """
        whole = self.count
        within = sum(self.counts[: bisect_left(BOUNDS, seconds + 1e-9)])
        return within / whole if whole else None


def _placed(bucket: int, share: float) -> float:
    if bucket == len(BOUNDS):
        return BOUNDS[-1]
    low = BOUNDS[bucket - 1] if bucket else 0.0
    return low + (BOUNDS[bucket] - low) * share
