"""The search behind a door: opened with the first question, and counted like a message."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import TYPE_CHECKING

from ingress.api.http.error_answer import Header
from ingress.api.metered_calls import MeteredCalls
from ingress.authentication import Caller
from shared.storable_text import text_size

if TYPE_CHECKING:
    from shared.retrieval.passage_search import PassageSearch
    from shared.retrieval.search_request import SearchRequest
    from shared.retrieval.search_result import SearchResult

OpenSearch = Callable[[], "AbstractAsyncContextManager[PassageSearch]"]


class Searching:
    """Asks the index for callers. Encoders and stores are loaded with the first question, so a
    door to which nobody puts one does without them.

    Opening that fails is tried again with the next question.
    """

    def __init__(self, opening: OpenSearch, calls: MeteredCalls) -> None:
        self._opening = opening
        self._calls = calls
        self._lock = asyncio.Lock()
        self._stack = AsyncExitStack()
        self._search: PassageSearch | None = None

    async def ask(
        self, caller: Caller, request: SearchRequest
    ) -> tuple[SearchResult, Sequence[Header]]:
        """What is found, and what is left of the caller's limits.

        Raises NotAdmitted and what Search.search raises.
        """
        size = text_size(request.text)
        async with self._calls.admitted(caller.tenant, text_bytes=size) as headers:
            search = self._search or await self._open()
            return await search.search(request), headers

    async def close(self) -> None:
        """Let go of what was opened."""
        async with self._lock:
            self._search = None
            await self._stack.aclose()

    async def _open(self) -> PassageSearch:
        async with self._lock:
            if self._search is None:
                self._search = await self._stack.enter_async_context(self._opening())
            return self._search
