"""Documents that are posted, and files that are put into a collection."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
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
    LOCKED,
    PENDING_AGAIN,
    document_of,
    due_again,
    encoded,
    labels,
    new_row,
)
from shared.index.states import DocumentState
from shared.index.tables import document, document_body
from shared.persistence.engine import Database
from shared.persistence.statements import insert_new, transaction, upsert


class DocumentPosts:
    """What a caller puts into a collection, on disk when it returns; it may be put again.

    Raises NotFound for a collection that is not the tenant's, and LedgerUnavailable.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        insert = insert_new(document, sqlite_dialect=database.is_sqlite)
        self._insert = insert.returning(document.c.id)
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
        """The same of several, all of them or none."""
        async with transaction(self._database.durable) as connection:
            target = (await held(connection, tenant_id, collection_id)).target
            # In one order, so that two who put the same wait for each other and not in a circle.
            ordered = sorted(
                (new.file_id or document_id(collection_id, POSTED, new.path), nth)
                for nth, new in enumerate(documents)
            )
            put: dict[int, Document] = {}
            is_relabelled = False
            for id_, nth in ordered:
                said = {"tenant_id": tenant_id, "collection_id": collection_id, "id": id_}
                put[nth], changed = await self._put(connection, said, documents[nth], target)
                is_relabelled |= changed
            if is_relabelled:
                await raise_edition(connection, collection_id)
            return [put[nth] for nth in range(len(documents))]

    async def _put(
        self, connection: AsyncConnection, said: dict[str, Any], new: NewDocument, target: str
    ) -> tuple[Document, bool]:
        """The document, and whether a search could see it otherwise already."""
        where = {"b_collection": said["collection_id"], "b_id": said["id"]}
        now = self._clock.now()
        row = new_row(said | _columns(new), due_at=now)
        is_other, is_relabelled = True, False
        if await connection.scalar(self._insert, row) is None:
            old = (await connection.execute(LOCKED, where)).one()
            is_relabelled = not _has_labels(old, new)
            is_other = not await _is_same(connection, new, old, target)
            again = _put_again if is_other else _put_same
            await again(connection, new, old, now)
        if new.body is not None and is_other:
            body = {"collection_id": said["collection_id"], "document_id": said["id"]}
            await connection.execute(self._keep_body, body | {"body": new.body})
        return document_of((await connection.execute(LOCKED, where)).one()), is_relabelled


async def _put_again(
    connection: AsyncConnection, new: NewDocument, old: Row[Any], now: datetime
) -> None:
    """It is to be indexed anew."""
    where = {"b_collection": old.collection_id, "b_id": old.id}
    changed = {"due_at": due_again(old, now), "relabel": old.relabel or not _has_labels(old, new)}
    if old.chunking != encoded(new.chunking):
        changed |= {"digest": None}  # the same content is cut anew
    values = PENDING_AGAIN | _columns(new) | changed
    await connection.execute(update(document).where(*IS).values(values), where)


async def _put_same(
    connection: AsyncConnection, new: NewDocument, old: Row[Any], now: datetime
) -> None:
    """It stays as it is but for what is said of it: it belongs to the batch it came with last."""
    if new.batch_id is not None and new.batch_id != old.batch_id:
        where = {"b_collection": old.collection_id, "b_id": old.id}
        batched = update(document).where(*IS).values(batch_id=new.batch_id)
        await connection.execute(batched, where)
    if not _has_labels(old, new):
        await relabel(connection, old, labels(new.principals, new.attributes), now)


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


_BODY: Final = select(document_body.c.body).where(
    document_body.c.collection_id == bindparam("collection"),
    document_body.c.document_id == bindparam("id"),
)
