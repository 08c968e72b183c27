"""What a scan says of its documents: what is new or other, and what it did not see any more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, bindparam, case, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.clock import Clock
from shared.index.collections.rows import held
from shared.index.document import (
    GAVE_UP,
    Document,
    OfferedDocument,
    OfferOutcome,
    document_id,
)
from shared.index.documents.rows import IN_COLLECTION, PENDING_AGAIN, WAITING, due_again, new_row
from shared.index.states import DocumentState
from shared.index.tables import document
from shared.persistence.bulk_parameters import IdList
from shared.persistence.engine import Database
from shared.persistence.statements import insert_new, transaction

GROUP: Final = 500
"""Documents of one transaction."""
_OVER: Final = (DocumentState.CANCELLED, DocumentState.REMOVING)


class DocumentOffers:
    """Documents of sources that are scanned; everything raises LedgerUnavailable.

    An offer may be repeated: what was offered and is the same is left as it is.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._ids = IdList(database.relaxed.dialect)
        named = self._ids.holds(document.c.id)
        self._known = _KNOWN.where(named).with_for_update()
        self._seen = _SEEN.where(named)
        self._insert = insert_new(document, sqlite_dialect=database.is_sqlite)

    async def offer(
        self,
        tenant_id: str,
        collection_id: str,
        source: str,
        offered: Sequence[OfferedDocument],
        *,
        job_id: str,
    ) -> OfferOutcome:
        """Have documents indexed that are new or changed, on disk when this returns.

        One that somebody is indexing is taken from him, and is free when his lease ends or he
        gives it back. Raises NotFound for the collection.
        """
        changed = 0
        for first in range(0, len(offered), GROUP):
            # The same path twice is one document: the last word counts.
            group = {
                document_id(collection_id, source, each.path): each
                for each in offered[first : first + GROUP]
            }
            place = {"tenant_id": tenant_id, "collection_id": collection_id}
            said = place | {"seen_by": job_id, "job_id": job_id}
            async with transaction(self._database.durable) as connection:
                changed += await self._offer(connection, said | {"source": source}, group)
        return OfferOutcome(changed=changed, unchanged=len(offered) - changed)

    async def _offer(
        self, connection: AsyncConnection, said: dict[str, Any], group: dict[str, OfferedDocument]
    ) -> int:
        """How many of the group are new or changed."""
        target = (await held(connection, said["tenant_id"], said["collection_id"])).target
        wanted = self._ids.parameters([*group]) | {"b_collection": said["collection_id"]}
        known = {row.id: row for row in await connection.execute(self._known, wanted)}
        same = [
            id_ for id_, row in known.items() if is_same(row, group[id_], target, said["job_id"])
        ]
        new = [id_ for id_ in group if id_ not in known]
        changed = known.keys() - {*same}
        if same:
            seen = self._ids.parameters(same) | {"b_collection": said["collection_id"]}
            await connection.execute(self._seen, seen | {"b_job": said["job_id"]})
        if changed:
            now = self._clock.now()
            rows = [
                _again(known[id_], group[id_], said, due_again(known[id_], now, target=target))
                for id_ in changed
            ]
            await connection.execute(_CHANGE, rows)
        if new:
            # In the order in which they were offered, and all of them due.
            first = self._clock.now() - timedelta(microseconds=len(new))
            rows = [
                new_row(said | _what(id_, group[id_]), due_at=first + timedelta(microseconds=nth))
                for nth, id_ in enumerate(new)
            ]
            await connection.execute(self._insert, rows)
        return len(changed) + len(new)


def is_same(
    row: Row[Any] | Document, offered: OfferedDocument, target: str, job_id: str | None
) -> bool:
    """Whether what is offered is there as it is, or waits to be, in the generation `target`."""
    if row.state in _OVER or row.error_code == GAVE_UP:
        return False
    looks_same = offered.modified_ns is not None and (row.size_bytes, row.modified_ns) == (
        offered.size_bytes,
        offered.modified_ns,
    )
    if row.state in WAITING:
        # By this very scan, which was begun again.
        return looks_same or (row.seen_by == job_id and row.size_bytes == offered.size_bytes)
    if row.state is DocumentState.COMPLETED and row.generation != target:
        return False
    return looks_same or (offered.digest is not None and row.digest == offered.digest)


def _what(id_: str, offered: OfferedDocument) -> dict[str, Any]:
    return {
        "id": id_,
        "path": offered.path,
        "title": offered.title,
        "size_bytes": offered.size_bytes,
        "modified_ns": offered.modified_ns,
    }


def _again(
    row: Row[Any], offered: OfferedDocument, said: dict[str, Any], due_at: datetime
) -> dict[str, Any]:
    return {
        "b_collection": said["collection_id"],
        "b_id": row.id,
        "b_size": offered.size_bytes,
        "b_modified": offered.modified_ns,
        "b_title": offered.title,
        "b_job": said["job_id"],
        # A job of later has seen it: for this one it is not missing either.
        "b_seen": max(said["job_id"], row.seen_by or ""),
        "b_due": due_at,
    }


_KNOWN: Final = select(
    *(document.c[name] for name in ("id", "state", "error_code", "size_bytes", "modified_ns")),
    *(document.c[name] for name in ("digest", "generation", "seen_by", "due_at", "claimed_by")),
).where(IN_COLLECTION)
_SEEN: Final = (
    update(document)
    .where(IN_COLLECTION)
    .values(
        seen_by=case(
            (document.c.seen_by > bindparam("b_job"), document.c.seen_by),
            else_=bindparam("b_job"),
        ),
        job_id=case((document.c.state.in_(WAITING), bindparam("b_job")), else_=document.c.job_id),
    )
)
_CHANGE: Final = (
    update(document)
    .where(
        document.c.collection_id == bindparam("b_collection"), document.c.id == bindparam("b_id")
    )
    .values(
        PENDING_AGAIN
        | {
            "size_bytes": bindparam("b_size"),
            "modified_ns": bindparam("b_modified"),
            "title": bindparam("b_title"),
            "seen_by": bindparam("b_seen"),
            "job_id": bindparam("b_job"),
            "due_at": bindparam("b_due"),
        }
    )
)
