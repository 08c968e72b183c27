"""What is changed of documents that are there: who may see them, what is said of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, bindparam, case, update
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.clock import Clock
from shared.index.collections.rows import held, raise_edition
from shared.index.document import Attributes, Document
from shared.index.documents.reading import unknown_document
from shared.index.documents.rows import (
    INDEXED,
    IS,
    LOCKED,
    PENDING_AGAIN,
    REMOVE,
    WAITING,
    document_of,
    due_again,
    labels,
)
from shared.index.states import DocumentState
from shared.index.tables import document
from shared.persistence.bulk_parameters import IdList
from shared.persistence.engine import Database
from shared.persistence.statements import transaction

GROUP: Final = 500
"""Documents of one transaction."""


class DocumentChanges:
    """Changes of a tenant's documents, on disk when each returns; each may be repeated.

    Raises NotFound for what is not the tenant's, and LedgerUnavailable.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._ids = IdList(database.durable.dialect)
        self._remove = REMOVE.where(self._ids.holds(document.c.id))

    async def label(
        self,
        tenant_id: str,
        collection_id: str,
        id_: str,
        *,
        principals: Sequence[str] | None = None,
        attributes: Attributes | None = None,
    ) -> Document:
        """Change who may see it, or what is said of it; None leaves the one or the other.

        Who may not see it any more does not find it from now on; the stores follow.
        """
        where = {"b_collection": collection_id, "b_id": id_}
        async with transaction(self._database.durable) as connection:
            target = (await held(connection, tenant_id, collection_id)).target
            row = (await connection.execute(LOCKED, where)).one_or_none()
            if row is None or row.state is DocumentState.REMOVING:
                raise unknown_document(collection_id, id_)
            old = document_of(row)
            said = labels(
                old.principals if principals is None else tuple(principals),
                old.attributes if attributes is None else attributes,
            )
            if said != {name: row._mapping[name] for name in said}:
                await relabel(
                    connection, row, said, due_again(row, self._clock.now(), target=target)
                )
                await raise_edition(connection, collection_id)
            return document_of((await connection.execute(LOCKED, where)).one())

    async def remove(self, tenant_id: str, collection_id: str, ids: Sequence[str]) -> int:
        """They are gone for every search; how many there were.

        The stores follow; one that somebody is indexing is taken from him.
        """
        gone = 0
        for first in range(0, len(ids), GROUP):
            named = self._ids.parameters(ids[first : first + GROUP])
            of = {"b_collection": collection_id, "b_now": self._clock.now()}
            async with transaction(self._database.durable) as connection:
                await held(connection, tenant_id, collection_id)
                removed = await connection.execute(self._remove, of | named)
                gone += removed.rowcount
                if removed.rowcount:
                    await raise_edition(connection, collection_id)
        return gone

    async def cancel(self, tenant_id: str, collection_id: str, batch_id: str) -> int:
        """Leave out those of a batch that are not indexed yet; how many there were.

        What was indexed of such a document before is found as before.
        """
        of = {"b_collection": collection_id, "b_batch": batch_id}
        async with transaction(self._database.durable) as connection:
            await held(connection, tenant_id, collection_id)
            cancelled = await connection.execute(_CANCEL, of)
            if cancelled.rowcount:
                await raise_edition(connection, collection_id)
        return cancelled.rowcount


async def relabel(
    connection: AsyncConnection, old: Row[Any], said: dict[str, str | None], due_at: datetime
) -> None:
    """Write labels within the caller's transaction, who raises the edition at its end.

    What is in no store has them in its row alone; `due_at` is when all else may be claimed.
    """
    where = {"b_collection": old.collection_id, "b_id": old.id}
    values: dict[str, Any] = {**said}
    if old.state in (*INDEXED, DocumentState.CANCELLED):
        values |= PENDING_AGAIN | {"due_at": due_at, "relabel": True}
    await connection.execute(update(document).where(*IS).values(values), where)


# Whoever holds one writes nothing of it from here on, and is let finish that before another does.
_CANCEL: Final = (
    update(document)
    .where(
        document.c.collection_id == bindparam("b_collection"),
        document.c.batch_id == bindparam("b_batch"),
        document.c.state.in_(WAITING),
    )
    .values(
        state=DocumentState.CANCELLED,
        error_code=None,
        reason=None,
        due_at=case((document.c.claimed_by.is_not(None), document.c.due_at), else_=None),
    )
)
