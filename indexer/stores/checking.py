"""The ledger beside the stores: where a backup of one of them was put back, they add up again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from math import inf
from typing import Final

import msgspec

from shared.index.collections.collection import Collection
from shared.index.document import Document
from shared.index.documents.indexing import DocumentIndexing
from shared.index.documents.reading import Documents
from shared.index.documents.repairing import ChunkRepair
from shared.index.states import DocumentState
from shared.search.keyword.keyword_store import KeywordStore
from shared.search.point import Scope
from shared.search.query import Where
from shared.search.vector_store import VectorStore

_AT_ONCE: Final = 500


class CheckReport(msgspec.Struct):
    """What was compared, and what did not add up; all of it is put right by the indexers."""

    documents: int = 0
    points: int = 0
    lost: int = 0
    """Documents of which a store lacks something, or has something of a later day: they are
    written again, and nothing is embedded again."""
    orphans: int = 0
    """Points that the ledger does not know: they were deleted."""


class StoreChecking:
    """Compares a collection with both stores, chunk by chunk, while they are in use.

    Raises NotFound where a store lacks the generation, and what stores and ledger raise.
    """

    def __init__(
        self,
        documents: Documents,
        indexing: DocumentIndexing,
        repair: ChunkRepair,
        vectors: VectorStore,
        keyword: KeywordStore | None,
    ) -> None:
        self._documents = documents
        self._indexing = indexing
        self._repair = repair
        self._vectors = vectors
        self._keyword = keyword

    async def check(self, collection: Collection) -> CheckReport:
        """What is searched of it. What is being built beside it is written anyway."""
        report, scope = CheckReport(), Scope(collection.generation, collection.tenant_id)
        after: str | None = None
        while some := await self._documents.list(
            collection.tenant_id,
            collection.id,
            states=(DocumentState.COMPLETED,),
            after=after,
            newest_first=False,
            limit=_AT_ONCE,
        ):
            for document in some:
                report.documents += 1
                report.lost += await self._write_again(document, scope)
            after = some[-1].id
        await self._delete_orphans(collection, scope, report)
        return report

    async def _write_again(self, document: Document, scope: Scope) -> bool:
        """Whether it is to be written again, and was not changed by others meanwhile."""
        wanted = [*await self._indexing.current(document, scope.generation)]
        there, newest = 0, 0
        for some in _pieces(wanted):
            passages = (await self._vectors.read(scope, some)).values()
            there += len(passages)
            newest = max(newest, *(each.ver for each in passages), 0)
        # What a store has of a later day takes nothing that the ledger says from now on.
        is_right = there == len(wanted) and newest <= document.ver
        if is_right and await self._words(document, scope) >= len(wanted):
            return False
        return await self._repair.write_again(document, scope.generation, above=newest)

    async def _words(self, document: Document, scope: Scope) -> float:
        if self._keyword is None:
            return inf
        where = Where(collection=(document.collection_id,), document=(document.id,))
        return await self._keyword.count(scope, where)

    async def _delete_orphans(
        self, collection: Collection, scope: Scope, report: CheckReport
    ) -> None:
        where, start = Where(collection=(collection.id,)), None
        while True:
            page = await self._vectors.scroll(scope, where, limit=_AT_ONCE, start=start)
            report.points += len(page.ids)
            # Rows are written before points and forgotten after them.
            unknown = await self._repair.unknown(scope.generation, page.ids)
            by_ver: dict[int, list[str]] = defaultdict(list)
            for id_, passage in (await self._vectors.read(scope, unknown)).items():
                by_ver[passage.ver].append(id_)
            for ver, ids in by_ver.items():
                await self._vectors.delete(scope, ids, ver=ver)
                if self._keyword is not None:
                    await self._keyword.delete(scope, ids, ver=ver)
            report.orphans += len(unknown)
            if (start := page.following) is None:
                return


def _pieces(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[first : first + _AT_ONCE] for first in range(0, len(ids), _AT_ONCE))
