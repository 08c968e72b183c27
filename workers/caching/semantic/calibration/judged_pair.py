"""A labelled pair as the cache sees it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final

from shared.embeddings.encoder import Encoder
from workers.caching.semantic.calibration.labelled_pair import LabelledPair
from workers.caching.semantic.guard.guard import refusal
from workers.caching.semantic.guard.guard_rule import GuardRule
from workers.caching.semantic.guard.question import GuardedQuestion

_PAIRS_A_TRIP: Final = 64


@dataclass(frozen=True, slots=True)
class JudgedPair:
    """Its similarity and what the guard says of it."""

    pair: LabelledPair
    similarity: float
    refused_by: GuardRule | None


async def judge_pairs(encoder: Encoder, pairs: Sequence[LabelledPair]) -> AsyncIterator[JudgedPair]:
    """In order; raises EncoderUnavailable."""
    for start in range(0, len(pairs), _PAIRS_A_TRIP):
        some = pairs[start : start + _PAIRS_A_TRIP]
        vectors = await encoder.encode(
            [text for pair in some for text in (pair.first, pair.second)]
        )
        for place, pair in enumerate(some):
            similarity = float(vectors[2 * place] @ vectors[2 * place + 1])
            yield JudgedPair(pair, similarity, _refusal(pair))


def _refusal(pair: LabelledPair) -> GuardRule | None:
    return refusal(GuardedQuestion(pair.first), GuardedQuestion(pair.second))
