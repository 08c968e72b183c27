"""Documents that are in another generation than their collection is indexed in now."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Integer, String, bindparam, case, func, select, update

from shared.clock import Clock
from shared.index.collections.rows import held
from shared.index.document import DocumentPage
from shared.index.documents.rows import IN_COLLECTION, PENDING_AGAIN
from shared.index.states import DocumentState
from shared.index.tables import document
from shared.persistence.bulk_parameters import IdList
from shared.persistence.engine import Database
from shared.persistence.statements import transaction

_TO_BUILD: Final = (
    DocumentState.COMPLETED,
    DocumentState.IN_PROGRESS,
    DocumentState.CANCELLED,
)


class Rebuilding:
    """Walks a collection whose generation was begun or abandoned; raises LedgerUnavailable."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._ids = IdList(database.durable.dialect)
        self._offer = _OFFER.where(self._ids.holds(document.c.id))

    async def offer_next(
        self,
        tenant_id: str,
        collection_id: str,
        *,
        job_id: str | None = None,
        after: str | None = None,
        limit: int = 500,
    ) -> DocumentPage:
        """Have those of the next `limit` documents indexed that are not in the target generation.

        One that somebody is indexing is taken from him. To begin again from the first does no
        work twice. Raises NotFound.
        """
        wanted = {"tenant": tenant_id, "collection": collection_id}
        bounds = {"after": after or "", "limit": limit}
        async with transaction(self._database.durable) as connection:
            target = (await held(connection, tenant_id, collection_id)).target
            rows = (await connection.execute(_NEXT, wanted | bounds)).all()
            old = tuple(id_ for id_, *of in rows if _is_to_build(*of, target=target))
            if old:
                said: dict[str, Any] = {"b_collection": collection_id, "b_job": job_id}
                said |= {"b_now": self._clock.now()}
                await connection.execute(self._offer, said | self._ids.parameters(old))
        return DocumentPage(old, rows[-1].id if len(rows) == limit else None)


def _is_to_build(state: DocumentState, generation: str | None, *, target: str) -> bool:
    """A cancelled one as well, where it was indexed before and would be lost."""
    if state is DocumentState.CANCELLED and generation is None:
        return False
    return state in _TO_BUILD and generation != target


_NEXT: Final = (
    select(document.c.id, document.c.state, document.c.generation)
    .where(
        document.c.collection_id == bindparam("collection"),
        document.c.tenant_id == bindparam("tenant"),
        document.c.id > bindparam("after"),
    )
    .order_by(document.c.id)
    .limit(bindparam("limit", type_=Integer))
    .with_for_update()
)
_OFFER: Final = (
    update(document)
    .where(IN_COLLECTION)
    .values(
        PENDING_AGAIN
        | {
            "job_id": func.coalesce(bindparam("b_job", type_=String), document.c.job_id),
            # What is held waits for the end of that lease.
            "due_at": case(
                (document.c.claimed_by.is_not(None), document.c.due_at),
                else_=bindparam("b_now", type_=document.c.due_at.type),
            ),
        }
    )
)
