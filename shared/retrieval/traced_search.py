"""Searches with a span for each."""

from __future__ import annotations

from shared.retrieval.passage_search import PassageSearch
from shared.retrieval.search_request import SearchRequest
from shared.retrieval.search_result import SearchResult
from shared.telemetry.tracing import Tracing


class TracedSearch:
    """Tells a trace which way a search went and how much it found; nothing of what was asked."""

    def __init__(self, search: PassageSearch, tracing: Tracing) -> None:
        self._search = search
        self._tracing = tracing

    async def search(self, request: SearchRequest) -> SearchResult:
        """As the search behind it has it."""
        collections = {"forebay.collections": len(request.collections)}
        with self._tracing.span("search", attributes=collections) as span:
            result = await self._search.search(request)
            span.set_attributes(
                {
                    "forebay.search.route": result.route.mode.value,
                    "forebay.search.hits": len(result.hits),
                    "forebay.search.dropped": [each.name for each in result.legs if each.dropped],
                }
            )
            return result
