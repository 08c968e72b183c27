"""The text that was found in a document, as it was cut."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from shared.index.document import Document
from shared.index.documents.indexing import DocumentIndexing
from shared.search.point import Scope
from shared.search.vector_store import VectorStore

_AT_ONCE = 500


class DocumentTexts:
    """Reads passages back from the store that they are found in, which is opened for the first."""

    def __init__(self, opening: Callable[[], VectorStore], chunks: DocumentIndexing) -> None:
        self._opening = opening
        self._chunks = chunks
        self._lock = asyncio.Lock()
        self._store: VectorStore | None = None

    async def of(self, found: Document) -> list[str]:
        """In the order in which they stand; none of a document that is not indexed.

        Raises LedgerUnavailable, and StoreUnavailable.
        """
        if not found.is_searchable or found.generation is None:
            return []
        chunks = (await self._chunks.current(found, found.generation)).values()
        ids = [each.point_id for each in sorted(chunks, key=lambda each: each.ordinal)]
        scope = Scope(found.generation, found.tenant_id)
        store = self._store or await self._open()
        texts: list[str] = []
        for first in range(0, len(ids), _AT_ONCE):
            group = ids[first : first + _AT_ONCE]
            passages = await store.read(scope, group)
            texts += [passages[each].body for each in group if each in passages]
        return texts

    async def close(self) -> None:
        """Let go of the store."""
        if self._store is not None:
            await self._store.close()

    async def _open(self) -> VectorStore:
        async with self._lock:
            if self._store is None:
                self._store = self._opening()
            return self._store
