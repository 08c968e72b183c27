"""How large a share may really be when so many of so many were seen.

The one-sided Clopper-Pearson bound (C. J. Clopper, E. S. Pearson, "The use of confidence or
fiducial limits illustrated in the case of the binomial", Biometrika 26, 1934): the true share
lies above it in at most 5 of 100 such samples, whatever the share is.
"""

from __future__ import annotations

from math import ceil, exp, lgamma, log, log1p
from typing import Final

CONFIDENCE: Final = 0.95
_STEPS: Final = 60


def upper_bound(wrong: int, hits: int) -> float:
    """The largest share of wrong ones that is still plausible; 1 where nothing was seen."""
    if wrong >= hits:
        return 1.0
    low, high = wrong / hits, 1.0
    for _ in range(_STEPS):
        share = (low + high) / 2
        if _probability_of_at_most(wrong, hits, share) > 1 - CONFIDENCE:
            low = share
        else:
            high = share
    return high


def hits_needed(bound: float) -> int:
    """Hits without a wrong one that it takes to prove the bound."""
    return ceil(log(1 - CONFIDENCE) / log1p(-bound))


def _probability_of_at_most(wrong: int, hits: int, share: float) -> float:
    """Binomial."""
    return sum(
        exp(
            lgamma(hits + 1) - lgamma(seen + 1) - lgamma(hits - seen + 1)
            + seen * log(share) + (hits - seen) * log1p(-share)
        )
        for seen in range(wrong + 1)
    )  # fmt: skip
