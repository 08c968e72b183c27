"""What is to go from the stores, and what goes here when it has gone there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import groupby
from typing import Any, Final

from sqlalchemy import Integer, Row, bindparam, delete, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.clock import Clock
from shared.index.chunk import RetiredChunk
from shared.index.collections.rows import generations_of
from shared.index.documents.chunk_rows import RETIRE
from shared.index.documents.rows import IN_COLLECTION, IS
from shared.index.states import ChunkState
from shared.index.tables import REMOVING, RETIRED, chunk, document, document_body, symbol
from shared.persistence.bulk_parameters import IdList
from shared.persistence.engine import Database
from shared.persistence.statements import reading, skipping_locked, transaction

_AGAIN: Final = timedelta(seconds=1)
"""When a document is looked at again whose chunks are still in the stores."""


class RetiredChunks:
    """Takes away what is retired, in small steps that may all be repeated, by any number of
    workers side by side; everything raises LedgerUnavailable.

    A chunk's row goes after the chunk, and a document's row after the last of its chunks: nothing
    is in a store that is unknown here.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._ids = IdList(database.durable.dialect)
        self._left = _LEFT.where(self._ids.holds(document.c.id))

    async def retiring(self, *, limit: int) -> list[RetiredChunk]:
        """Chunks to be deleted from both stores, each up to its `ver`, and then forgotten here."""
        async with reading(self._database.relaxed) as connection:
            rows = await connection.execute(_RETIRING, {"limit": limit})
            return [RetiredChunk(**row._mapping) for row in rows]

    async def forget(self, deleted: Sequence[RetiredChunk]) -> None:
        """Forget chunks that are in no store any more; one that came back meanwhile stays."""
        if not deleted:
            return
        rows = [
            {"b_generation": each.generation, "b_point": each.point_id, "b_ver": each.ver}
            for each in deleted
        ]
        async with transaction(self._database.durable) as connection:
            await connection.execute(_FORGET, rows)

    async def drop_removed(self, *, limit: int) -> int:
        """Retire what is left of removed documents, and forget those of which nothing is.

        How many were looked at. One that is held waits until that lease ends.
        """
        bounds = {"now": self._clock.now(), "limit": limit}
        async with transaction(self._database.durable) as connection:
            removed = (await connection.execute(_REMOVED, bounds)).all()
            by_collection = sorted(removed, key=_collection)
            for collection_id, rows in groupby(by_collection, key=_collection):
                await self._drop(connection, collection_id, [*rows])
        return len(removed)

    async def _drop(
        self, connection: AsyncConnection, collection_id: str, removed: Sequence[Row[Any]]
    ) -> None:
        generations = (await connection.run_sync(generations_of, collection_id)).all
        of: dict[str, Any] = {"b_collection": collection_id, "generations": generations}
        for row in removed:
            await connection.execute(RETIRE, of | {"b_id": row.id, "b_ver": row.ver})
        named = self._ids.parameters([row.id for row in removed])
        left = {*(await connection.execute(self._left, of | named)).scalars()}
        due = self._clock.now() + _AGAIN
        keys = [{"b_collection": collection_id, "b_id": row.id} for row in removed]
        if left:
            late = [key | {"b_due": due} for key in keys if key["b_id"] in left]
            await connection.execute(_POSTPONE, late)
        if gone := [key for key in keys if key["b_id"] not in left]:
            for statement in _FORGET_DOCUMENT:
                await connection.execute(statement, gone)


def _collection(row: Row[Any]) -> str:
    return row.collection_id  # type: ignore[no-any-return]


_LIMIT: Final = bindparam("limit", type_=Integer)
_IN_GENERATIONS: Final = (
    chunk.c.collection_id == bindparam("b_collection"),
    chunk.c.generation.in_(bindparam("generations", expanding=True)),
)
_FIRST_CHUNK: Final = (
    select(chunk.c.point_id)
    .where(*_IN_GENERATIONS, chunk.c.state.in_([*ChunkState]), chunk.c.document_id == document.c.id)
    .limit(1)
    .scalar_subquery()
)
_LEFT: Final = select(document.c.id).where(IN_COLLECTION, _FIRST_CHUNK.is_not(None))
_POSTPONE: Final = update(document).where(*IS).values(due_at=bindparam("b_due"))
_FORGET_DOCUMENT: Final = (
    *(
        delete(table).where(
            table.c.collection_id == bindparam("b_collection"),
            table.c.document_id == bindparam("b_id"),
        )
        for table in (document_body, symbol)
    ),
    delete(document).where(*IS),
)
_RETIRING: Final = (
    select(*(chunk.c[name] for name in RetiredChunk.__struct_fields__))
    .where(text(RETIRED))
    .order_by(chunk.c.generation, chunk.c.point_id)
    .limit(_LIMIT)
)
_FORGET: Final = delete(chunk).where(
    chunk.c.generation == bindparam("b_generation"),
    chunk.c.point_id == bindparam("b_point"),
    chunk.c.ver == bindparam("b_ver"),
    chunk.c.state == ChunkState.RETIRED,
)
_REMOVED: Final = skipping_locked(
    select(document.c.collection_id, document.c.id, document.c.ver)
    .where(text(REMOVING), document.c.due_at <= bindparam("now"))
    .order_by(document.c.due_at)
    .limit(_LIMIT)
)
