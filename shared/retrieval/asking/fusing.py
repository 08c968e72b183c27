"""One list out of several, where the lists come from different engines.

RRF is Cormack, Clarke, Büttcher: Reciprocal Rank Fusion outperforms Condorcet and individual Rank
Learning Methods (SIGIR 2009), with the weights of Qdrant, which stretch ranks. DBSF is that of
Mazzeschi: Distribution-Based Score Fusion (2023), as Qdrant has it: each leg's scores are placed
between their mean less and more three deviations. Both give the numbers of the engine's own fusion,
divided by the most that can be reached: near 1 is a passage that every leg likes best.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import fmean, stdev
from typing import Final

from shared.retrieval.legs import LegName
from shared.search.query import Dbsf, Rrf

Ranking = Sequence[tuple[str, float]]
"""Ids with their scores, the best first."""
_DEVIATIONS: Final = 3.0
_OF_EQUALS: Final = 0.5
_NEAR_AN_END: Final = 0.1
_ALREADY_SCALED: Final = frozenset({LegName.SYMBOLS})
"""Its scores say how well a name fits, from 0 to 1: a lone exact one is not a middling one."""


def fuse(
    legs: Mapping[LegName, Ranking], weights: Mapping[LegName, float], fusion: Rrf | Dbsf
) -> dict[str, float]:
    """The share of what can be reached, 0 to 1, of each id in any of the legs."""
    sums: defaultdict[str, float] = defaultdict(float)
    for name, ranking in legs.items():
        for each, score in _scored(name, ranking, weights[name], fusion):
            sums[each] += score
    most = most_of([weights[name] for name in legs], fusion)
    return {each: scaled(total, most, fusion) for each, total in sums.items()}


def most_of(weights: Sequence[float], fusion: Rrf | Dbsf) -> float:
    """What a fusion gives to a passage that is the first of every leg."""
    if isinstance(fusion, Dbsf):
        return sum(weights)
    return sum(_reciprocal(0, weight, fusion.k) for weight in weights)


def scaled(total: float, most: float, fusion: Rrf | Dbsf) -> float:
    """Between 0 and 1, in the same order.

    DBSF goes beyond both where a score is far off its leg's others: what is near an end, or
    beyond it, comes the nearer to it and never there.
    """
    share = total / most if most else 0.0
    if isinstance(fusion, Rrf):
        return min(share, 1.0)
    if share > 1 - _NEAR_AN_END:
        return 1 - _NEAR_AN_END * math.exp((1 - _NEAR_AN_END - share) / _NEAR_AN_END)
    if share < _NEAR_AN_END:
        return _NEAR_AN_END * math.exp((share - _NEAR_AN_END) / _NEAR_AN_END)
    return share


def _scored(name: LegName, ranking: Ranking, weight: float, fusion: Rrf | Dbsf) -> Ranking:
    if isinstance(fusion, Rrf):
        return [
            (each, _reciprocal(rank, weight, fusion.k)) for rank, (each, _) in enumerate(ranking)
        ]
    if name in _ALREADY_SCALED:
        return [(each, weight * score) for each, score in ranking]
    scores = [score for _, score in ranking]
    deviation = stdev(scores) if len(scores) > 1 else 0.0
    if not deviation or not math.isfinite(deviation):
        return [(each, weight * _OF_EQUALS) for each, _ in ranking]
    lowest = fmean(scores) - _DEVIATIONS * deviation
    width = 2 * _DEVIATIONS * deviation
    return [(each, weight * (score - lowest) / width) for each, score in ranking]


def _reciprocal(rank: int, weight: float, k: int) -> float:
    return 1.0 / (k + (rank + 1) / weight - 1)
