"""What the stores have of a collection held against the ledger, point by point."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Final

from shared.clock import Clock
from shared.errors import Conflict, NotFound
from shared.index.collections.collection import Collection
from shared.index.document import Document
from shared.index.documents.indexing import DocumentIndexing
from shared.index.documents.reading import Documents
from shared.index.embedding_cache import EmbeddingCache
from shared.index.repairs import IndexRepairs, LostPoint, RepairOutcome, StoredPoint
from shared.index.states import DocumentState
from shared.persistence.engine import Database
from shared.search.keyword.keyword_store import WRITTEN_AT_ONCE, KeywordStore
from shared.search.point import Scope
from shared.search.query import Where
from shared.search.vector_store import VectorStore

_AT_ONCE: Final = 256


class StoreRepair:
    """Finds what a store lacks, has too much, or has as it was; indexers then mend it.

    It may run while documents are indexed, and be repeated: what was said once is said no more
    when it is done. No text is embedded again. Raises Unavailable.
    """

    def __init__(
        self,
        vectors: VectorStore,
        keyword: KeywordStore | None,
        *,
        documents: Documents,
        indexing: DocumentIndexing,
        repairs: IndexRepairs,
    ) -> None:
        self._vectors = vectors
        self._keyword = keyword
        self._documents = documents
        self._indexing = indexing
        self._repairs = repairs

    async def repair(self, of: Collection) -> RepairOutcome:
        """Walks the collection from both sides. Raises Conflict while a generation is built."""
        if of.next_generation is not None:
            raise Conflict(
                f"{of.next_generation} is built for it beside {of.generation}, from its documents: "
                "repair it when the two are swapped."
            )
        outcome = RepairOutcome()
        # The stores first: whatever is in them was planned in the ledger before.
        for stored in (self._points(of), self._words(of)):
            async for some in stored:
                outcome += await self._repairs.stored(of.tenant_id, of.id, of.generation, some)
        async for documents in self._completed(of):
            outcome += await self._look(of, documents)
        return outcome

    async def _points(self, of: Collection) -> AsyncIterator[list[StoredPoint]]:
        """Of the vector store; none where the whole generation is gone."""
        scope, where = Scope(of.generation, of.tenant_id), Where(collection=(of.id,))
        start: str | None = None
        with suppress(NotFound):
            while True:
                page = await self._vectors.scroll(scope, where, limit=_AT_ONCE, start=start)
                read = await self._vectors.read(scope, page.ids)
                yield [StoredPoint(id_, each.document, each.ver) for id_, each in read.items()]
                start = page.following
                if start is None:
                    return

    async def _words(
        self, of: Collection, documents: tuple[str, ...] | None = None
    ) -> AsyncIterator[list[StoredPoint]]:
        """Of the keyword store, where there is one; all of the collection's, or of these alone."""
        if self._keyword is None:
            return
        scope, skip = Scope(of.generation, of.tenant_id), 0
        where = Where(collection=(of.id,), document=documents)
        with suppress(NotFound):
            while True:
                found = await self._keyword.written(scope, where, skip=skip)
                yield [StoredPoint(each.id, each.document, each.ver) for each in found]
                skip += len(found)
                if len(found) < WRITTEN_AT_ONCE:
                    return

    async def _completed(self, of: Collection) -> AsyncIterator[list[Document]]:
        after: str | None = None
        while page := await self._documents.list(
            of.tenant_id,
            of.id,
            states=(DocumentState.COMPLETED,),
            after=after,
            limit=_AT_ONCE,
            newest_first=False,
        ):
            yield page
            after = page[-1].id

    async def _look(self, of: Collection, documents: Sequence[Document]) -> RepairOutcome:
        """Documents of which a store lacks something."""
        wanted: dict[str, LostPoint] = {}
        for each in documents:
            ids = await self._indexing.current(each, of.generation)
            wanted |= dict.fromkeys(ids, LostPoint(each.id, each.ver))
        lacking = wanted.keys() - await self._with_vectors(of, [*wanted])
        if self._keyword is not None and wanted:
            named = tuple(each.id for each in documents)
            lacking |= wanted.keys() - {
                each.id async for some in self._words(of, named) for each in some
            }
        if not lacking:
            return RepairOutcome()
        lost = {wanted[each].document_id: wanted[each] for each in lacking}
        return await self._repairs.lost(of.tenant_id, of.id, of.generation, [*lost.values()])

    async def _with_vectors(self, of: Collection, ids: Sequence[str]) -> set[str]:
        """Those of them that the vector store has."""
        scope = Scope(of.generation, of.tenant_id)
        there: set[str] = set()
        with suppress(NotFound):
            for first in range(0, len(ids), _AT_ONCE):
                there |= {*await self._vectors.read(scope, ids[first : first + _AT_ONCE])}
        return there


def store_repair(
    database: Database, clock: Clock, vectors: VectorStore, keyword: KeywordStore | None
) -> StoreRepair:
    """One on this ledger and these stores."""
    return StoreRepair(
        vectors,
        keyword,
        documents=Documents(database),
        indexing=DocumentIndexing(database, clock, EmbeddingCache(database, clock)),
        repairs=IndexRepairs(database, clock),
    )
