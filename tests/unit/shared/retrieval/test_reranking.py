"""A page in the order of a reranker, and as it was where that one does not answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from shared.clock import ManualClock
from shared.errors import Unavailable
from shared.index.document import Document
from shared.index.states import DocumentState
from shared.retrieval import reranking
from shared.retrieval.reranking import reranked
from shared.retrieval.search_result import FoundPassage
from shared.search.point import Passage


class SharedWords:
    """Counts the words that a passage shares with the question."""

    async def scores(self, question: str, passages: Sequence[str]) -> Sequence[float]:
        asked = {*question.split()}
        return [len(asked & {*each.split()}) for each in passages]


class Away:
    async def scores(self, question: str, passages: Sequence[str]) -> Sequence[float]:
        raise Unavailable("It is away.")


class Silent:
    async def scores(self, question: str, passages: Sequence[str]) -> Sequence[float]:
        await asyncio.Event().wait()
        return []


def _hit(body: str) -> FoundPassage:
    passage = Passage("c", "d", "posted", "a.md", "markdown", "prose", ver=1, body=body)
    document = Document(
        collection_id="c",
        id="d",
        tenant_id="t",
        source="posted",
        path="a.md",
        state=DocumentState.COMPLETED,
        ver=1,
        size_bytes=1,
        created_at=ManualClock().now(),
    )
    return FoundPassage(body, 0.5, passage, document, {})


HITS = tuple(map(_hit, ("of bread", "the sea rises", "why the sea rises", "of salt")))


async def test_the_best_comes_first_and_equal_ones_stay_as_they_were() -> None:
    shown = await reranked(SharedWords(), "why does the sea rise", HITS)
    assert [each.id for each in shown] == [
        "why the sea rises",
        "the sea rises",
        "of bread",
        "of salt",
    ]


async def test_without_one_and_with_one_that_is_away_the_page_stays() -> None:
    assert await reranked(None, "why", HITS) == HITS
    assert await reranked(Away(), "why", HITS) == HITS


async def test_one_that_is_silent_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reranking, "_PATIENCE_SECONDS", 0.01)
    assert await reranked(Silent(), "why", HITS) == HITS
