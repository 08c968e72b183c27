"""A last look at the hits of a page: by a model that reads each passage with the question.

Off: nothing that Forebay installs has such a model. Whoever has one gives it to `Search`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final, Protocol

from shared.errors import Unavailable
from shared.retrieval.search_result import FoundPassage
from shared.telemetry.logs import get_logger

_PATIENCE_SECONDS: Final = 2.0


class Reranker(Protocol):
    """Says how well passages answer a question, each for itself."""

    async def scores(self, question: str, passages: Sequence[str]) -> Sequence[float]:
        """One number for each, in their order, the higher the better; raises Unavailable."""
        ...


async def reranked(
    reranker: Reranker | None, question: str, hits: tuple[FoundPassage, ...]
) -> tuple[FoundPassage, ...]:
    """The same hits with the best first, equal ones as they were; their `score` stays the fusion's.

    As they were where there is no reranker, or it does not answer within two seconds: a page is
    worth more than its order.
    """
    if reranker is None or len(hits) < 2:
        return hits
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            scores = await reranker.scores(question, [each.passage.body for each in hits])
    except (Unavailable, TimeoutError) as error:
        get_logger(__name__).warning("rerank_dropped", reason=type(error).__name__)
        return hits
    order = sorted(range(len(hits)), key=lambda at: -scores[at])
    return tuple(hits[at] for at in order)
