"""Ledger and stores made one again, where one of them was put back to an older day."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Row, Select, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.clock import Clock
from shared.index.collections.rows import held, raise_edition
from shared.index.documents.rows import IN_COLLECTION, IS, PENDING_AGAIN, due_again
from shared.index.states import ChunkState, DocumentState
from shared.index.tables import chunk, document
from shared.persistence.bulk_parameters import IdList
from shared.persistence.engine import Database
from shared.persistence.statements import insert_new, transaction

_INDEXED: Final = (DocumentState.PENDING, DocumentState.IN_PROGRESS, DocumentState.COMPLETED)


class StoredPoint(msgspec.Struct, frozen=True):
    """A point as a store has it."""

    id: str
    document_id: str
    ver: int


class LostPoint(msgspec.Struct, frozen=True):
    """A current chunk that a store lacks: whose, and the `ver` of that when it was missed."""

    document_id: str
    ver: int


class RepairOutcome(msgspec.Struct, frozen=True):
    """How many documents are to be indexed anew, and how many points are to be deleted."""

    documents: int = 0
    points: int = 0

    def __add__(self, other: RepairOutcome) -> RepairOutcome:
        return RepairOutcome(self.documents + other.documents, self.points + other.points)


class IndexRepairs:
    """Says in the ledger what is to be done about a difference; indexers do it.

    Each call is one transaction and may be repeated. Raises NotFound and LedgerUnavailable.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._clock = clock
        self._database = database
        ids = self._ids = IdList(database.durable.dialect)
        self._documents = _DOCUMENTS.where(ids.holds(document.c.id)).with_for_update()
        self._rows = _ROWS.where(ids.holds(chunk.c.point_id))
        self._retire = insert_new(chunk, sqlite_dialect=database.is_sqlite)

    async def stored(
        self, tenant_id: str, collection_id: str, generation: str, points: Sequence[StoredPoint]
    ) -> RepairOutcome:
        """What a store was seen to have of this collection, before this call.

        What the ledger does not know is retired. A document is indexed anew where a point of it
        is older than its chunk, or newer than itself: its `ver` rises above what was seen.
        """
        async with transaction(self._database.durable) as connection:
            await held(connection, tenant_id, collection_id)
            known = await self._known(connection, collection_id, points)
            of = {"b_generation": generation, "b_tenant": tenant_id}
            named = self._ids.parameters([each.id for each in points])
            found = (await connection.execute(self._rows, of | named)).all()
            rows = {row.point_id: row for row in found}
            unknown = [each for each in points if each.id not in rows]
            place = {"tenant_id": tenant_id, "collection_id": collection_id}
            if unknown:
                said = place | {"generation": generation}
                await connection.execute(self._retire, [said | _retired(each) for each in unknown])
            await _raise_retired(connection, generation, points, rows)
            differing = _differing(points, rows, known)
            made = [known[id_] for id_ in differing if id_ in known]
            await self._make_anew(connection, generation, made, differing)
        return RepairOutcome(documents=len(made), points=len(unknown))

    async def lost(
        self, tenant_id: str, collection_id: str, generation: str, points: Sequence[LostPoint]
    ) -> RepairOutcome:
        """A store lacks these: their documents are indexed anew, but for those that were changed
        since they were looked at.
        """
        async with transaction(self._database.durable) as connection:
            await held(connection, tenant_id, collection_id)
            vers = {each.document_id: each.ver for each in points}
            rows = await self._rows_of(connection, collection_id, [*vers])
            same = [row for row in rows if row.ver == vers[row.id]]
            await self._make_anew(connection, generation, same, vers)
        return RepairOutcome(documents=len(same))

    async def _known(
        self, connection: AsyncConnection, collection_id: str, points: Sequence[StoredPoint]
    ) -> dict[str, Row[Any]]:
        ids = [*{each.document_id for each in points}]
        return {row.id: row for row in await self._rows_of(connection, collection_id, ids)}

    async def _rows_of(
        self, connection: AsyncConnection, collection_id: str, ids: Sequence[str]
    ) -> Sequence[Row[Any]]:
        wanted = {"b_collection": collection_id} | self._ids.parameters(ids)
        return (await connection.execute(self._documents, wanted)).all()

    async def _make_anew(
        self,
        connection: AsyncConnection,
        generation: str,
        rows: Sequence[Row[Any]],
        vers: dict[str, int],
    ) -> None:
        """None of their chunks is believed to be in a store; no vector is made anew."""
        now = self._clock.now()
        for row in rows:
            said: dict[str, Any] = {"b_collection": row.collection_id, "b_id": row.id}
            ver = max(row.ver, vers[row.id]) + 1
            await connection.execute(_DOUBT, said | {"b_generation": generation})
            values: dict[str, Any] = {"ver": ver, "digest": None}
            if row.state in _INDEXED or row.generation is not None:
                values = PENDING_AGAIN | values | {"due_at": due_again(row, now)}
            await connection.execute(update(document).where(*IS).values(values), said)
        if rows:
            await raise_edition(connection, rows[0].collection_id)


def _retired(point: StoredPoint) -> dict[str, Any]:
    return {
        "point_id": point.id,
        "document_id": point.document_id,
        "state": ChunkState.RETIRED,
        "ver": point.ver,
        "ordinal": 0,
        "path": "",
        "first_line": 1,
        "last_line": 1,
    }


async def _raise_retired(
    connection: AsyncConnection,
    generation: str,
    points: Sequence[StoredPoint],
    rows: dict[str, Row[Any]],
) -> None:
    """What is retired is deleted up to its `ver`: up to that of the point, then."""
    late = [
        {"b_generation": generation, "b_point": each.id, "b_ver": each.ver}
        for each in points
        if each.id in rows
        and rows[each.id].state is ChunkState.RETIRED
        and rows[each.id].ver < each.ver
    ]
    if late:
        await connection.execute(_RAISE, late)


def _differing(
    points: Sequence[StoredPoint], rows: dict[str, Row[Any]], known: dict[str, Row[Any]]
) -> dict[str, int]:
    """The documents whose points are not what their rows say, with the highest `ver` of them."""
    found: dict[str, int] = {}
    for each in points:
        row, of = rows.get(each.id), known.get(each.document_id)
        is_old = row is not None and row.state is ChunkState.CURRENT and each.ver < row.ver
        if of is not None and (is_old or each.ver > of.ver):
            found[each.document_id] = max(each.ver, found.get(each.document_id, 0))
    return found


_DOCUMENTS: Final = select(
    *(document.c[name] for name in ("collection_id", "id", "state", "ver", "generation", "due_at"))
).where(IN_COLLECTION)
_ROWS: Final[Select[Any]] = select(chunk.c.point_id, chunk.c.state, chunk.c.ver).where(
    # By the ids alone: a planner without statistics reads a whole generation for some of it.
    chunk.c.generation.concat("") == bindparam("b_generation"),
    chunk.c.tenant_id == bindparam("b_tenant"),
)
_DOUBT: Final = (
    update(chunk)
    .where(
        chunk.c.collection_id == bindparam("b_collection"),
        chunk.c.generation == bindparam("b_generation"),
        chunk.c.state == ChunkState.CURRENT,
        chunk.c.document_id == bindparam("b_id"),
    )
    .values(state=ChunkState.PLANNED)
)
_RAISE: Final = (
    update(chunk)
    .where(
        chunk.c.generation == bindparam("b_generation"),
        chunk.c.point_id == bindparam("b_point"),
        chunk.c.state == ChunkState.RETIRED,
    )
    .values(ver=bindparam("b_ver"))
)
