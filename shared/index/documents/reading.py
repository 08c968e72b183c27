"""Documents as they are found and listed, and those that a scan did not see."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import Integer, Select, bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.errors import NotFound
from shared.index.document import Document, DocumentPage
from shared.index.documents.rows import IN_COLLECTION, document_of
from shared.index.states import DocumentState
from shared.index.tables import document, document_body
from shared.persistence.bulk_parameters import IdList
from shared.persistence.engine import Database
from shared.persistence.statements import reading

DocumentKey = tuple[str, str]
"""The collection and the id of a document."""
_SHOWN: Final = tuple(each for each in DocumentState if each is not DocumentState.REMOVING)


class Documents:
    """A tenant's documents; those that are being removed are gone. Raises LedgerUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._ids = IdList(database.relaxed.dialect)
        self._named = _NAMED.where(self._ids.holds(document.c.id))

    async def find(self, tenant_id: str, collection_id: str, id_: str) -> Document:
        """The document; raises NotFound."""
        found = (await self.of(tenant_id, [(collection_id, id_)])).get((collection_id, id_))
        if found is None or found.state is DocumentState.REMOVING:
            raise unknown_document(collection_id, id_)
        return found

    async def of(self, tenant_id: str, keys: Iterable[DocumentKey]) -> dict[DocumentKey, Document]:
        """Those of them that are there, also while they are removed: ask `is_searchable`."""
        async with reading(self._database.relaxed) as connection:
            return await self.read(connection, tenant_id, keys)

    async def read(
        self, connection: AsyncConnection, tenant_id: str, keys: Iterable[DocumentKey]
    ) -> dict[DocumentKey, Document]:
        """The same, within the caller's transaction."""
        by_collection: dict[str, set[str]] = {}
        for collection_id, id_ in keys:
            by_collection.setdefault(collection_id, set()).add(id_)
        found: dict[DocumentKey, Document] = {}
        for collection_id, ids in by_collection.items():
            wanted = {"tenant": tenant_id, "b_collection": collection_id}
            wanted |= self._ids.parameters(sorted(ids))
            rows = await connection.execute(self._named, wanted)
            found |= {(collection_id, row.id): document_of(row) for row in rows}
        return found

    async def list(
        self,
        tenant_id: str,
        collection_id: str,
        *,
        states: Sequence[DocumentState] = (),
        source: str | None = None,
        batch_id: str | None = None,
        after: str | None = None,
        before: str | None = None,
        newest_first: bool = True,
        limit: int,
    ) -> list[Document]:
        """Documents in the order of their ids: the next behind `after`, or the last ones that are
        before `before`; not both.

        Ids of files sort by time.
        """
        query = _OF_COLLECTION
        key, backwards = document.c.id, before is not None
        if after is not None:
            query = query.where(key < after if newest_first else key > after)
        if before is not None:
            query = query.where(key > before if newest_first else key < before)
        if source is not None:
            query = query.where(document.c.source == source)
        if batch_id is not None:
            query = query.where(document.c.batch_id == batch_id)
        descends = newest_first is not backwards
        query = query.order_by(key.desc() if descends else key.asc()).limit(limit)
        wanted = {"tenant": tenant_id, "collection": collection_id}
        found: list[Document] = []
        async with reading(self._database.relaxed) as connection:
            for one in _by_state(query, states):
                found += map(document_of, await connection.execute(one, wanted))
        # Each state has been read in the order of an index; of several the first are taken.
        found = sorted(found, key=lambda each: each.id, reverse=descends)[:limit]
        return found[::-1] if backwards else found

    async def body(self, of: Document) -> bytes | None:
        """What was posted of it; None of what is read from where it lies."""
        wanted = {"collection": of.collection_id, "id": of.id}
        async with reading(self._database.relaxed) as connection:
            body: bytes | None = await connection.scalar(_BODY, wanted)
        return body

    async def missing(
        self,
        tenant_id: str,
        collection_id: str,
        source: str,
        *,
        job_id: str,
        after: str | None = None,
        limit: int = 1000,
    ) -> DocumentPage:
        """Which of the next `limit` documents of a source neither that scan nor a later one saw;
        it may be none. Documents that are being removed are none of them.
        """
        wanted = {"tenant": tenant_id, "collection": collection_id, "source": source}
        bounds = {"after": after or "", "limit": limit}
        async with reading(self._database.relaxed) as connection:
            rows = (await connection.execute(_OF_SOURCE, wanted | bounds)).all()
        ids = tuple(
            row.id
            for row in rows
            if (row.seen_by or "") < job_id and row.state is not DocumentState.REMOVING
        )
        return DocumentPage(ids, rows[-1].id if len(rows) == limit else None)


def unknown_document(collection_id: str, id_: str) -> NotFound:
    """There is none in that collection, or it is another tenant's."""
    return NotFound(
        f"There is no document '{id_[:128]}' in vector store '{collection_id[:128]}'.",
        param="file_id",
    )


def _by_state(query: Select[Any], states: Sequence[DocumentState]) -> Iterable[Select[Any]]:
    if not states:
        return [query.where(document.c.state.in_(_SHOWN))]
    return [query.where(document.c.state == each) for each in states]


_OF_COLLECTION: Final = select(document).where(
    document.c.collection_id == bindparam("collection"),
    document.c.tenant_id == bindparam("tenant"),
)
_NAMED: Final = select(document).where(IN_COLLECTION, document.c.tenant_id == bindparam("tenant"))
_BODY: Final = select(document_body.c.body).where(
    document_body.c.collection_id == bindparam("collection"),
    document_body.c.document_id == bindparam("id"),
)
_OF_SOURCE: Final = (
    select(document.c.id, document.c.seen_by, document.c.state)
    .where(
        document.c.collection_id == bindparam("collection"),
        document.c.tenant_id == bindparam("tenant"),
        document.c.source == bindparam("source"),
        document.c.id > bindparam("after"),
    )
    .order_by(document.c.id)
    .limit(bindparam("limit", type_=Integer))
)
