"""Collections of every tenant: how much is in each, what failed, and up to when it is indexed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Row, Select, bindparam, func, select

from shared.errors import NotFound
from shared.index.collections.figures import SourceFreshness
from shared.index.states import DocumentState
from shared.index.tables import collection, collection_source, document
from shared.persistence.engine import Database
from shared.persistence.statements import reading

COUNTED_IN_LIST: Final = 1_000
COUNTED_OF_ONE: Final = 20_000
"""Documents of a collection that are looked at; of one with more, figures are of so many."""
_MOST_SOURCES: Final = 20
_MOST_FAILED: Final = 1_000


class CollectionRow(msgspec.Struct, frozen=True, kw_only=True):
    """One collection. Figures are of `documents`, which is not all of them where it `is_cut`."""

    id: str
    tenant_id: str
    name: str
    created_at: datetime
    expires_at: datetime | None
    generation: str
    next_generation: str | None
    documents: int
    by_state: dict[DocumentState, int]
    passages: int
    usage_bytes: int
    is_cut: bool
    sources: Sequence[SourceFreshness]


class WholeCollection(msgspec.Struct, frozen=True, kw_only=True):
    """One with why documents of it failed; of so many as it was looked at."""

    collection: CollectionRow
    failures: dict[str, int]


class CollectionPage(msgspec.Struct, frozen=True, kw_only=True):
    """`next` is the id behind which the next page begins, None where nothing is left."""

    rows: Sequence[CollectionRow]
    next: str | None


class CollectionPages:
    """Pages of collections, and one of them; everything raises LedgerUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, *, tenant_id: str | None = None, before: str | None = None, limit: int
    ) -> CollectionPage:
        """The newest first, from behind the id `before` on."""
        found = _NEWEST
        if tenant_id is not None:
            found = found.where(collection.c.tenant_id == tenant_id)
        if before is not None:
            found = found.where(collection.c.id < before)
        async with reading(self._database.relaxed) as connection:
            rows = (await connection.execute(found.limit(limit))).all()
            told = [await self._row(connection, row, COUNTED_IN_LIST) for row in rows]
        return CollectionPage(rows=told, next=told[-1].id if len(told) == limit else None)

    async def one(self, collection_id: str) -> WholeCollection:
        """Raises NotFound."""
        named = _NEWEST.where(collection.c.id == collection_id)
        async with reading(self._database.relaxed) as connection:
            row = (await connection.execute(named)).one_or_none()
            if row is None:
                raise NotFound(f"There is no collection '{collection_id[:64]}'. It was deleted.")
            told = await self._row(connection, row, COUNTED_OF_ONE)
            failed = await connection.execute(_FAILURES, {"collection": collection_id})
            failures = {code or "unknown": number for code, number in failed}
        return WholeCollection(collection=told, failures=failures)

    async def _row(self, connection: Any, row: Row[Any], most: int) -> CollectionRow:
        counted = await connection.execute(_COUNTED, {"collection": row.id, "most": most})
        figures = _added_up(counted)
        sources = await connection.execute(_SOURCES, {"collection": row.id})
        return CollectionRow(
            **row._mapping,
            **figures,
            is_cut=figures["documents"] == most,
            sources=[SourceFreshness(*source) for source in sources],
        )


def _added_up(rows: Iterable[Row[Any]]) -> dict[str, Any]:
    told = [*rows]
    return {
        "by_state": {row.state: row.number for row in told},
        "documents": sum(row.number for row in told),
        "passages": sum(int(row.passages) for row in told),
        "usage_bytes": sum(int(row.usage_bytes) for row in told),
    }


_TOLD: Final = (
    *("id", "tenant_id", "name", "created_at", "expires_at"),
    *("generation", "next_generation"),
)
_NEWEST: Final[Select[Any]] = (
    select(*(collection.c[name] for name in _TOLD))
    .where(collection.c.deleted_at.is_(None))
    .order_by(collection.c.id.desc())
)
_OF_COLLECTION: Final = document.c.collection_id == bindparam("collection")
_LOOKED_AT: Final = (
    select(document.c.state, document.c.passages, document.c.usage_bytes)
    .where(_OF_COLLECTION)
    .order_by(document.c.state, document.c.id)
    .limit(bindparam("most"))
    .subquery()
)
_COUNTED: Final = select(
    _LOOKED_AT.c.state,
    func.count().label("number"),
    func.sum(_LOOKED_AT.c.passages).label("passages"),
    func.sum(_LOOKED_AT.c.usage_bytes).label("usage_bytes"),
).group_by(_LOOKED_AT.c.state)
_FAILED: Final = (
    select(document.c.error_code)
    .where(_OF_COLLECTION, document.c.state == DocumentState.FAILED)
    .order_by(document.c.id)
    .limit(_MOST_FAILED)
    .subquery()
)
_FAILURES: Final = select(_FAILED.c.error_code, func.count()).group_by(_FAILED.c.error_code)
_SOURCES: Final = (
    select(*(collection_source.c[name] for name in SourceFreshness.__struct_fields__))
    .where(collection_source.c.collection_id == bindparam("collection"))
    .order_by(collection_source.c.source)
    .limit(_MOST_SOURCES)
)
