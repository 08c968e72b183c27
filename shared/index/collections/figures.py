"""How much is in collections, and how fresh it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Row, bindparam, func, select

from shared.index.states import DocumentState
from shared.index.tables import chunk, collection, collection_source, document
from shared.persistence.bulk_parameters import IdList
from shared.persistence.engine import Database
from shared.persistence.statements import reading

COUNTED_AT_MOST: Final = 1000
"""Waiting documents that are counted for a search; of more it is said that there are so many."""


class DocumentCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Documents of a collection by their state, and what those that are indexed take."""

    in_progress: int = 0
    completed: int = 0
    failed: int = 0
    skipped: int = 0
    cancelled: int = 0
    passages: int = 0
    usage_bytes: int = 0

    @property
    def total(self) -> int:
        """All documents, in whatever state."""
        return self.in_progress + self.completed + self.failed + self.skipped + self.cancelled


class SourceFreshness(msgspec.Struct, frozen=True):
    """Up to what a source is indexed: the begin of the last scan that was indexed whole."""

    source: str
    commit_id: str | None
    branch: str | None
    indexed_through: datetime | None


class Freshness(msgspec.Struct, frozen=True, kw_only=True):
    """Of one collection: its sources, how many documents wait, and what is built to come next."""

    sources: tuple[SourceFreshness, ...] = ()
    waiting: int = 0
    generation: str
    next_generation: str | None = None
    edition: int


class CollectionFigures:
    """A tenant's collections in numbers; another's do not exist. Raises LedgerUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._ids = IdList(database.relaxed.dialect)
        self._sources = _SOURCES.where(self._ids.holds(collection_source.c.collection_id))
        self._collections = _COLLECTIONS.where(self._ids.holds(collection.c.id))

    async def counts(
        self, tenant_id: str, collection_ids: Sequence[str]
    ) -> dict[str, DocumentCounts]:
        """Of each of these collections; it reads every document of them."""
        wanted = [{"tenant": tenant_id, "collection": each} for each in collection_ids]
        async with reading(self._database.relaxed) as connection:
            return {
                each["collection"]: _added_up(await connection.execute(_BY_STATE, each))
                for each in wanted
            }

    async def of_batch(self, tenant_id: str, collection_id: str, batch_id: str) -> DocumentCounts:
        """Of the documents that were put into a collection together, and in no later batch."""
        wanted = {"tenant": tenant_id, "collection": collection_id, "batch": batch_id}
        async with reading(self._database.relaxed) as connection:
            return _added_up(await connection.execute(_OF_BATCH, wanted))

    async def chunks(self, tenant_id: str, collection_id: str, generation: str) -> int:
        """Those that a store may have: also what is being written or taken away. It reads all."""
        wanted = {"tenant": tenant_id, "collection": collection_id, "generation": generation}
        async with reading(self._database.relaxed) as connection:
            number: int = await connection.scalar(_CHUNKS, wanted) or 0
        return number

    async def freshness(
        self, tenant_id: str, collection_ids: Sequence[str]
    ) -> dict[str, Freshness]:
        """Of each of these that is there: a few rows, since every search says it."""
        wanted: dict[str, Any] = self._ids.parameters(collection_ids) | {"tenant": tenant_id}
        async with reading(self._database.relaxed) as connection:
            sources: dict[str, list[SourceFreshness]] = {}
            for row in await connection.execute(self._sources, wanted):
                sources.setdefault(row.collection_id, []).append(SourceFreshness(*row[1:]))
            rows = (await connection.execute(self._collections, wanted)).all()
        return {
            row.id: Freshness(
                sources=tuple(sources.get(row.id, ())),
                waiting=row.pending + row.in_progress,
                generation=row.generation,
                next_generation=row.next_generation,
                edition=row.edition,
            )
            for row in rows
        }


def _added_up(rows: Iterable[Row[Any]]) -> DocumentCounts:
    counted: dict[str, int] = {}
    for row in rows:
        if (name := _COUNTED.get(row.state)) is not None:
            counted[name] = counted.get(name, 0) + row.number
            for summed in ("passages", "usage_bytes"):
                counted[summed] = counted.get(summed, 0) + int(row._mapping[summed])
    return DocumentCounts(**counted)


_COUNTED: Final = {
    DocumentState.PENDING: "in_progress",
    DocumentState.IN_PROGRESS: "in_progress",
    DocumentState.COMPLETED: "completed",
    DocumentState.FAILED: "failed",
    DocumentState.SKIPPED: "skipped",
    DocumentState.CANCELLED: "cancelled",
}
_BY_STATE: Final = (
    select(
        document.c.state,
        func.count().label("number"),
        func.sum(document.c.passages).label("passages"),
        func.sum(document.c.usage_bytes).label("usage_bytes"),
    )
    .where(
        document.c.collection_id == bindparam("collection"),
        document.c.tenant_id == bindparam("tenant"),
    )
    .group_by(document.c.state)
)
_OF_BATCH: Final = _BY_STATE.where(document.c.batch_id == bindparam("batch"))
_CHUNKS: Final = select(func.count()).where(
    chunk.c.collection_id == bindparam("collection"),
    chunk.c.tenant_id == bindparam("tenant"),
    chunk.c.generation == bindparam("generation"),
)
_SOURCES: Final = select(
    collection_source.c.collection_id,
    *(collection_source.c[name] for name in SourceFreshness.__struct_fields__),
).where(collection_source.c.tenant_id == bindparam("tenant"))


def _some(state: DocumentState) -> Any:
    some = (
        select(document.c.id)
        .where(
            document.c.collection_id == collection.c.id,
            # In the order of the one index that has the states: no other is read for them.
            document.c.state.between(state, state),
        )
        .order_by(document.c.state, document.c.id)
        .limit(COUNTED_AT_MOST)
        .correlate(collection)
        .subquery()
    )
    return select(func.count()).select_from(some).scalar_subquery().label(state.value)


_COLLECTIONS: Final = select(
    collection.c.id,
    collection.c.generation,
    collection.c.next_generation,
    collection.c.edition,
    _some(DocumentState.PENDING),
    _some(DocumentState.IN_PROGRESS),
).where(collection.c.tenant_id == bindparam("tenant"), collection.c.deleted_at.is_(None))
