"""Questions to one collection whose answers a server of rerankers orders."""

from __future__ import annotations

from typing import Any

import msgspec

from shared.index.collections.collection import Collection
from shared.retrieval.legs import LegName
from shared.retrieval.reranking.remote_reranker import RemoteReranker
from shared.retrieval.reranking.reranked_search import RerankedSearch
from shared.retrieval.search_request import SearchRequest
from shared.retrieval.search_result import SearchResult
from shared.settings.indexing.reranker import RerankerSettings
from shared.settings.secret import ServerUrl

from .rerank_server import RerankServer
from .searched_index import SearchedIndex

QUESTION = "why does the salt sea rise"
SHARES = {"none": "bread", "one": "sea", "two": "salt sea", "three": "why salt sea rise"}


def settings_of(server: RerankServer, **changed: Any) -> RerankerSettings:
    plain = RerankerSettings(url=ServerUrl(server.url), model="m", timeout_seconds=60)
    return msgspec.structs.replace(plain, **changed)


class Asking:
    """Asks one collection, through a reranker or without."""

    def __init__(self, index: SearchedIndex, docs: Collection, settings: RerankerSettings) -> None:
        self._index = index
        self._docs = docs
        self._settings = settings

    async def __call__(self, **asked: Any) -> SearchResult:
        reranker = RemoteReranker(self._settings)
        search = RerankedSearch(self._index.search(), reranker, self._settings, self._index.metrics)
        fresh = await self._index.again(self._docs)
        request = SearchRequest(
            tenant_id=self._index.tenant, collections=(fresh,), text=QUESTION, **asked
        )
        try:
            return await search.search(request)
        finally:
            await reranker.close()

    async def pages(self, **asked: Any) -> list[SearchResult]:
        pages = [await self(**asked)]
        while pages[-1].next_cursor:
            pages.append(await self(cursor=pages[-1].next_cursor, **asked))
        return pages


def told(result: SearchResult) -> list[tuple[int | None, str | None]]:
    return [(each.hits, each.dropped) for each in result.legs if each.name is LegName.RERANKER]
