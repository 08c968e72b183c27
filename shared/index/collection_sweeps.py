"""The end of collections and of generations, a little at a time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Integer, bindparam, delete, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.clock import Clock
from shared.index.collections.catalogue import CollectionCatalogue
from shared.index.documents.rows import REMOVE
from shared.index.states import ChunkState, DocumentState
from shared.index.tables import chunk, collection, collection_source, document
from shared.persistence.bulk_parameters import IdList
from shared.persistence.engine import Database
from shared.persistence.statements import reading, skipping_locked, transaction

KEPT: Final = timedelta(days=7)
"""How long an expired collection can be seen to have expired."""


class CollectionSweeps:
    """Each call is a few short transactions and may be repeated, by any number of sweepers;
    everything raises LedgerUnavailable.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._catalogue = CollectionCatalogue(database, clock)
        self._ids = IdList(database.durable.dialect)
        self._remove = REMOVE.where(self._ids.holds(document.c.id))

    async def expire(self, *, limit: int = 50) -> int:
        """Delete collections that expired a week ago; how many there were."""
        bounds = {"before": self._clock.now() - KEPT, "limit": limit}
        async with reading(self._database.relaxed) as connection:
            expired = (await connection.execute(_EXPIRED, bounds)).all()
        for tenant_id, collection_id in expired:
            await self._catalogue.delete(tenant_id, collection_id)
        return len(expired)

    async def remove_deleted(self, *, limit: int = 500) -> int:
        """Remove up to `limit` documents of the collection that was deleted first, and its row
        when the last of them is gone; how many were removed.
        """
        async with transaction(self._database.durable) as connection:
            id_ = await connection.scalar(_DELETED)
            if id_ is None:
                return 0
            ids: list[str] = []
            for state in _NOT_REMOVED:
                wanted = {"collection": id_, "state": state, "limit": limit - len(ids)}
                ids += (await connection.execute(_OF_STATE, wanted)).scalars()
            if ids:
                of = {"b_collection": id_, "b_now": self._clock.now()}
                await connection.execute(self._remove, of | self._ids.parameters(ids))
            elif await connection.scalar(_FIRST, {"collection": id_}) is None:
                await connection.execute(_FORGET_SOURCES, {"collection": id_})
                await connection.execute(_FORGET, {"collection": id_})
            else:
                await connection.execute(_TURN, {"b_id": id_, "b_now": self._clock.now()})
        return len(ids)

    async def take_down(self, *, limit: int = 500) -> int:
        """Retire up to `limit` chunks of a generation that is searched no more; how many."""
        async with transaction(self._database.durable) as connection:
            row = (await connection.execute(_LEAVING, {"now": self._clock.now()})).one_or_none()
            if row is None:
                return 0
            retired = await self._retire(connection, row.id, row.leaving_generation, limit)
            if retired == 0:
                await connection.execute(_LEFT, {"b_id": row.id})
        return retired

    async def _retire(
        self, connection: AsyncConnection, collection_id: str, generation: str, limit: int
    ) -> int:
        wanted = {"b_collection": collection_id, "b_generation": generation}
        retired = 0
        for state in (ChunkState.CURRENT, ChunkState.PLANNED):
            bounds = wanted | {"b_state": state, "limit": limit - retired}
            retired += len((await connection.execute(_RETIRE, bounds)).all())
        return retired


_LIMIT: Final = bindparam("limit", type_=Integer)
_NOT_REMOVED: Final = tuple(each for each in DocumentState if each is not DocumentState.REMOVING)
_EXPIRED: Final = (
    select(collection.c.tenant_id, collection.c.id)
    .where(collection.c.expires_at <= bindparam("before"))
    .order_by(collection.c.expires_at)
    .limit(_LIMIT)
)
_DELETED: Final = skipping_locked(
    select(collection.c.id)
    .where(collection.c.deleted_at.is_not(None))
    .order_by(collection.c.deleted_at)
    .limit(1)
)
# The next round is another's, while what is left of this one goes from the stores.
_TURN: Final = (
    update(collection)
    .where(collection.c.id == bindparam("b_id"))
    .values(deleted_at=bindparam("b_now"))
)
_OF_STATE: Final = (
    select(document.c.id)
    .where(
        document.c.collection_id == bindparam("collection"),
        document.c.state == bindparam("state"),
    )
    .order_by(document.c.id)
    .limit(_LIMIT)
)
_FIRST: Final = (
    select(document.c.id).where(document.c.collection_id == bindparam("collection")).limit(1)
)
_FORGET_SOURCES: Final = delete(collection_source).where(
    collection_source.c.collection_id == bindparam("collection")
)
_FORGET: Final = delete(collection).where(collection.c.id == bindparam("collection"))
_LEAVING: Final = skipping_locked(
    select(collection.c.id, collection.c.leaving_generation)
    .where(text("leaving_at IS NOT NULL"), collection.c.leaving_at <= bindparam("now"))
    .order_by(collection.c.leaving_at)
    .limit(1)
)
_LEFT: Final = (
    update(collection)
    .where(collection.c.id == bindparam("b_id"))
    .values(leaving_generation=None, leaving_at=None)
)
_SOME: Final = (
    select(chunk.c.generation, chunk.c.point_id)
    .where(
        chunk.c.collection_id == bindparam("b_collection"),
        chunk.c.generation == bindparam("b_generation"),
        chunk.c.state == bindparam("b_state"),
    )
    .limit(_LIMIT)
    .cte("some")
)
_NEWEST: Final[Any] = func.coalesce(
    select(document.c.ver)
    .where(document.c.collection_id == chunk.c.collection_id, document.c.id == chunk.c.document_id)
    .scalar_subquery(),
    chunk.c.ver,
)
_RETIRE: Final = (
    update(chunk)
    .where(chunk.c.generation == _SOME.c.generation, chunk.c.point_id == _SOME.c.point_id)
    .values(state=ChunkState.RETIRED, ver=_NEWEST)
    .returning(chunk.c.point_id)
)
