"""What a ranking is worth against judgements: 1 is the best that can be, 0 is nothing found.

A ranking has each target once, the best first; `grades` names those that are right, each with how
right it is. All three are as trec_eval computes them, so that figures compare with published ones.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import islice


def ndcg(ranking: Sequence[str], grades: Mapping[str, float], *, at: int = 10) -> float:
    """Normalized discounted cumulative gain of the first `at`, with the grade itself as gain.

    Järvelin and Kekäläinen, Cumulated Gain-Based Evaluation of IR Techniques, TOIS 20 (2002), with
    the discount log2(rank + 1) of trec_eval's `ndcg_cut`, which BEIR reports.
    """
    best = sorted(grades.values(), reverse=True)
    ideal = _discounted(best[:at])
    return _discounted([grades.get(each, 0.0) for each in ranking[:at]]) / ideal if ideal else 0.0


def reciprocal_rank(ranking: Sequence[str], grades: Mapping[str, float], *, at: int = 100) -> float:
    """One over the rank of the first right one, 0 where none is among the first `at`.

    Its mean is MRR: Voorhees, The TREC-8 Question Answering Track Report (1999).
    """
    for rank, each in enumerate(islice(ranking, at), start=1):
        if grades.get(each, 0.0) > 0:
            return 1.0 / rank
    return 0.0


def recall(ranking: Sequence[str], grades: Mapping[str, float], *, at: int = 10) -> float:
    """The share of the right ones that are among the first `at`."""
    right = {each for each, grade in grades.items() if grade > 0}
    return len(right.intersection(ranking[:at])) / len(right) if right else 0.0


def _discounted(gains: Sequence[float]) -> float:
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, start=1))
