"""Documents that are posted, and files that are put into a collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import Row, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.clock import Clock
from shared.index.collections.rows import held, raise_edition
from shared.index.document import POSTED, Document, NewDocument, document_id
from shared.index.documents.changing import relabel
from shared.index.documents.rows import (
    INDEXED,
    IS,
    PENDING_AGAIN,
    document_of,
    due_again,
    encoded,
    labels,
    new_row,
)
from shared.index.states import DocumentState
from shared.index.tables import document, document_body
from shared.persistence.bulk_parameters import IdList
from shared.persistence.engine import Database
from shared.persistence.statements import insert_new, transaction, upsert

GROUP: Final = 500
"""Documents of one statement."""


class DocumentPosts:
    """What a caller puts into a collection, on disk when it returns; it may be put again.

    Raises NotFound for a collection that is not the tenant's, and LedgerUnavailable.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        insert = insert_new(document, sqlite_dialect=database.is_sqlite)
        self._insert = insert.returning(document.c.id)
        self._ids = IdList(database.durable.dialect)
        self._locked = _LOCKED.where(self._ids.holds(document.c.id))
        put = upsert(document_body, sqlite_dialect=database.is_sqlite)
        self._keep_body = put.on_conflict_do_update(
            index_elements=document_body.primary_key, set_={"body": put.excluded.body}
        )

    async def put(self, tenant_id: str, collection_id: str, new: NewDocument) -> Document:
        """Have it indexed; where the same is there, only its labels are changed."""
        (put,) = await self.put_all(tenant_id, collection_id, [new])
        return put

    async def put_all(
        self, tenant_id: str, collection_id: str, documents: Sequence[NewDocument]
    ) -> list[Document]:
        """The same of several, all of them or none, in a few statements however many they are."""
        ids = [each.file_id or document_id(collection_id, POSTED, each.path) for each in documents]
        # In one order, so that two who put the same wait for each other and not in a circle.
        wanted = dict(sorted(zip(ids, documents, strict=True), key=itemgetter(0)))
        of = {"tenant_id": tenant_id, "collection_id": collection_id}
        async with transaction(self._database.durable) as connection:
            target = (await held(connection, tenant_id, collection_id)).target
            now = self._clock.now()
            rows = [
                new_row(of | {"id": id_} | _columns(new), due_at=now) for id_, new in wanted.items()
            ]
            new_ids = {*(await connection.scalars(self._insert, rows))}
            known = {id_: new for id_, new in wanted.items() if id_ not in new_ids}
            again = await self._put_known(connection, collection_id, known, target)
            bodies = [
                {"collection_id": collection_id, "document_id": id_, "body": new.body}
                for id_, new in wanted.items()
                if new.body is not None and (id_ in new_ids or id_ in again)
            ]
            if bodies:
                await connection.execute(self._keep_body, bodies)
            put = await self._rows(connection, collection_id, [*wanted])
            return [document_of(put[id_]) for id_ in ids]

    async def _put_known(
        self,
        connection: AsyncConnection,
        collection_id: str,
        known: Mapping[str, NewDocument],
        target: str,
    ) -> set[str]:
        """The ids of those that are to be indexed anew."""
        if not known:
            return set()
        now, again, batched = self._clock.now(), dict[str, dict[str, Any]](), list[Any]()
        is_relabelled = False
        for old in (await self._rows(connection, collection_id, [*known])).values():
            new = known[old.id]
            is_relabelled |= not _has_labels(old, new)
            due_at = due_again(old, now, target=target)
            if not await _is_same(connection, new, old, target):
                again[old.id] = _again(old, new, due_at)
                continue
            if new.batch_id not in (None, old.batch_id):
                batched.append(
                    {"b_collection": collection_id, "b_id": old.id, "p_batch_id": new.batch_id}
                )
            if not _has_labels(old, new):
                await relabel(connection, old, labels(new.principals, new.attributes), due_at)
        for statement, rows in ((_PUT_AGAIN, [*again.values()]), (_BATCHED, batched)):
            if rows:
                await connection.execute(statement, rows)
        if is_relabelled:
            await raise_edition(connection, collection_id)
        return {*again}

    async def _rows(
        self, connection: AsyncConnection, collection_id: str, ids: Sequence[str]
    ) -> dict[str, Row[Any]]:
        found: dict[str, Row[Any]] = {}
        for first in range(0, len(ids), GROUP):
            wanted = {"b_collection": collection_id}
            named = self._ids.parameters(ids[first : first + GROUP])
            rows = await connection.execute(self._locked, wanted | named)
            found |= {row.id: row for row in rows}
        return found


def _again(old: Row[Any], new: NewDocument, due_at: datetime) -> dict[str, Any]:
    """What is written of one that is to be indexed anew; with other sizes the same content is cut
    anew."""
    is_cut_alike = old.chunking == encoded(new.chunking)
    written = _columns(new) | {
        "due_at": due_at,
        "relabel": old.relabel or not _has_labels(old, new),
        "digest": old.digest if is_cut_alike else None,
    }
    where = {"b_collection": old.collection_id, "b_id": old.id}
    return where | {f"p_{name}": value for name, value in written.items()}


def _has_labels(old: Row[Any], new: NewDocument) -> bool:
    said = labels(new.principals, new.attributes)
    return said == {name: old._mapping[name] for name in said}


def _columns(new: NewDocument) -> dict[str, Any]:
    return {
        "source": new.source,
        "path": new.path,
        "title": new.title,
        "file_id": new.file_id,
        "batch_id": new.batch_id,
        "size_bytes": new.size_bytes,
        "chunking": encoded(new.chunking),
        "job_id": new.job_id,
        **labels(new.principals, new.attributes),
    }


async def _is_same(
    connection: AsyncConnection, new: NewDocument, old: Row[Any], target: str
) -> bool:
    """A file's content never changes. Of what waits to be indexed only the text itself tells."""
    if old.state not in INDEXED or old.chunking != encoded(new.chunking):
        return False
    if old.state is DocumentState.COMPLETED and old.generation != target:
        return False
    if new.file_id is not None:
        return True
    if old.state is DocumentState.COMPLETED:
        return bool(old.digest == new.digest)
    where = {"collection": old.collection_id, "id": old.id}
    return bool(new.body == await connection.scalar(_BODY, where))


_LOCKED: Final = (
    select(document)
    .where(document.c.collection_id == bindparam("b_collection"))
    .order_by(document.c.id)
    .with_for_update()
)
_COLUMNS: Final = (
    "source",
    "path",
    "title",
    "file_id",
    "batch_id",
    "size_bytes",
    "chunking",
    "job_id",
    "principals",
    "attributes",
)
_BODY: Final = select(document_body.c.body).where(
    document_body.c.collection_id == bindparam("collection"),
    document_body.c.document_id == bindparam("id"),
)
_PUT_AGAIN: Final = (
    update(document)
    .where(*IS)
    .values(
        PENDING_AGAIN
        | {
            name: bindparam(f"p_{name}", type_=document.c[name].type)
            for name in (*_COLUMNS, "due_at", "relabel", "digest")
        }
    )
)
_BATCHED: Final = update(document).where(*IS).values(batch_id=bindparam("p_batch_id"))
"""What is the same belongs to the batch that it came with last."""
