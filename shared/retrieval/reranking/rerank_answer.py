"""What a server of rerankers answers, read and held against what was asked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import msgspec

from shared.retrieval.reranking.reranker import RerankerUnavailable
from shared.settings.indexing.reranker import RerankerKind


class _Relevance(msgspec.Struct, frozen=True):
    index: int
    relevance_score: float


class _Results(msgspec.Struct, frozen=True):
    results: list[_Relevance]


class _Rank(msgspec.Struct, frozen=True):
    index: int
    score: float


_results: Final = msgspec.json.Decoder(_Results)
_ranks: Final = msgspec.json.Decoder(list[_Rank])


def read_scores(kind: RerankerKind, body: bytes, *, count: int, who: str) -> list[float]:
    """One number for each of `count` passages, in their order; raises RerankerUnavailable where
    one is missing, comes twice or is none: JSON has no others than finite ones."""
    try:
        told = _told(kind, body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RerankerUnavailable(f"{who} sent what is no answer of /rerank: {error}.") from None
    if sorted(place for place, _ in told) != list(range(count)):
        raise RerankerUnavailable(
            f"{who} sent {len(told)} scores for {count} passages, or numbered them wrongly."
        )
    return [score for _, score in sorted(told)]


def _told(kind: RerankerKind, body: bytes) -> list[tuple[int, float]]:
    if kind is RerankerKind.TEI:
        return [(each.index, each.score) for each in _ranks.decode(body)]
    return [(each.index, each.relevance_score) for each in _results.decode(body).results]


def from_0_to_1(scores: Sequence[float]) -> tuple[float, ...]:
    """As they are where all lie there already; else they are what the last layer of a model gives
    out, as llama.cpp tells it, and the logistic function keeps their order."""
    if all(0 <= each <= 1 for each in scores):
        return tuple(scores)
    return tuple((1 + math.tanh(each / 2)) / 2 for each in scores)
