"""What is asked for passages."""

from __future__ import annotations

from typing import Protocol

from shared.retrieval.search_request import SearchRequest
from shared.retrieval.search_result import SearchResult


class PassageSearch(Protocol):
    """Searches collections of one tenant at a time; many searches may run at once."""

    async def search(self, request: SearchRequest) -> SearchResult:
        """One page of hits, the best first.

        Raises `SearchUnavailable` where no part of the index answered, `LedgerUnavailable`, and
        `InvalidRequest`.
        """
        ...
