"""Passages out of the index: opened with the first question, and not before."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any, Final

import msgspec

from shared.clock import Clock
from shared.errors import NotFound
from shared.index.collections.catalogue import CollectionCatalogue
from shared.index.collections.collection import Collection
from shared.messages.file_search.found_text import FoundText
from shared.messages.file_search.search_tool import RankingOptions
from shared.retrieval.legs import LegName
from shared.retrieval.passage_search import PassageSearch
from shared.retrieval.search_request import SearchRequest
from shared.retrieval.search_result import FoundPassage
from shared.search.attribute_filter import AttributeFilter
from shared.search.checking_queries import MOST_CHARACTERS
from shared.search.folding import folded
from shared.search.query import Where
from shared.storable_text import storable
from workers.steps.searching.retriever import WantedPassages

_MOST_FOLDED: Final = 18
"""Characters that one becomes at the most when it is folded."""

OpenSearch = Callable[[], AbstractAsyncContextManager[PassageSearch]]


class IndexRetriever:
    """Asks the search that every door asks. A collection that is gone is left out, and so is one
    that has expired."""

    def __init__(
        self,
        catalogue: CollectionCatalogue,
        open_search: OpenSearch,
        stack: AsyncExitStack,
        clock: Clock,
    ) -> None:
        """What `open_search` opens is closed with the stack."""
        self._catalogue = catalogue
        self._open_search = open_search
        self._stack = stack
        self._clock = clock
        self._opening = asyncio.Lock()
        self._search: PassageSearch | None = None

    async def editions(self, tenant_id: str, ids: Sequence[str]) -> tuple[tuple[str, int], ...]:
        """As `Retriever` has it; raises LedgerUnavailable."""
        found = await self._collections(tenant_id, ids)
        return tuple((each.id, each.edition) for each in found)

    async def find(self, wanted: WantedPassages) -> tuple[FoundText, ...]:
        """As `Retriever` has it; raises Unavailable."""
        collections = await self._collections(wanted.tenant_id, wanted.collections)
        text = shortened(wanted.text)
        if not collections or not text:
            return ()
        ranking = wanted.ranking or RankingOptions()
        request = SearchRequest(
            tenant_id=wanted.tenant_id,
            collections=tuple(collections),
            text=text,
            where=Where(attributes=_filter(wanted.filters)),
            principals=wanted.principals,
            limit=wanted.limit,
            weights=_weights(ranking),
            score_threshold=ranking.score_threshold or 0.0,
            reranks=ranking.ranker != "none",
            highlight=False,
        )
        search = await self._opened()
        result = await search.search(request)
        return tuple(map(_found, result.hits))

    async def _collections(self, tenant_id: str, ids: Sequence[str]) -> list[Collection]:
        found, now = list[Collection](), self._clock.now()
        for each in ids:
            try:
                collection = await self._catalogue.find(tenant_id, each)
            except NotFound:
                continue
            if collection.expires_at is None or collection.expires_at > now:
                found.append(collection)
        return found

    async def _opened(self) -> PassageSearch:
        async with self._opening:
            if self._search is None:
                self._search = await self._stack.enter_async_context(self._open_search())
            return self._search


def shortened(text: str) -> str:
    """As much of a question as may be asked: its beginning and its end, where questions stand."""
    text = storable(text).strip()
    if len(text) > MOST_CHARACTERS:
        half = MOST_CHARACTERS // 2
        text = f"{text[: half - 1]}\n{text[-half:]}"
    return text if len(folded(text)) <= MOST_CHARACTERS else text[: MOST_CHARACTERS // _MOST_FOLDED]


def _filter(filters: dict[str, Any] | None) -> AttributeFilter | None:
    if filters is None:
        return None
    asked: AttributeFilter = msgspec.convert(filters, AttributeFilter)
    return asked


def _weights(ranking: RankingOptions) -> Mapping[LegName, float] | None:
    """None leaves them to the route of the question."""
    hybrid = ranking.hybrid_search
    if hybrid is None:
        return None
    meaning, words = hybrid.embedding_weight, hybrid.text_weight
    return {
        LegName.TEXT: meaning,
        LegName.CODE: meaning,
        LegName.WORDS: words,
        LegName.KEYWORD: words,
    }


def _found(hit: FoundPassage) -> FoundText:
    document = hit.document
    return FoundText(
        file_id=document.file_id or document.id,
        filename=document.path,
        score=round(hit.score, 6),
        text=hit.passage.body,
        attributes=document.attributes or None,
    )
