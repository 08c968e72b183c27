"""How good one list of answers is, by what each place of it is worth."""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import StrEnum


class RankingMetric(StrEnum):
    """Of one question, from 0 to 1."""

    NDCG_10 = "nDCG@10"
    """Gain of the first ten, less the lower it stands, as a share of the best order."""
    MRR_10 = "MRR@10"
    """One divided by the place of the first right answer among ten, else 0."""
    RECALL_10 = "recall@10"
    """The share of the right answers that are among the first ten."""
    RECALL_100 = "recall@100"


def measured(gains: Sequence[float], ideal: Sequence[float], metric: RankingMetric) -> float:
    """`gains` of the list's places, from the first on; `ideal` of all right answers there are."""
    match metric:
        case RankingMetric.NDCG_10:
            best = _discounted(sorted(ideal, reverse=True)[:10])
            return _discounted(gains[:10]) / best if best else 0.0
        case RankingMetric.MRR_10:
            return next((1 / place for place, gain in enumerate(gains[:10], 1) if gain), 0.0)
        case RankingMetric.RECALL_10:
            return _recall(gains[:10], ideal)
        case RankingMetric.RECALL_100:
            return _recall(gains[:100], ideal)


def _discounted(gains: Sequence[float]) -> float:
    return sum(gain / math.log2(place + 1) for place, gain in enumerate(gains, 1))


def _recall(gains: Sequence[float], ideal: Sequence[float]) -> float:
    return sum(map(bool, gains)) / len(ideal) if ideal else 0.0
