"""Which passages there are, as the ledger has it: stores only propose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.index.document import Document
from shared.index.documents.reading import DocumentKey, Documents
from shared.index.states import ChunkState
from shared.index.tables import chunk
from shared.persistence.bulk_parameters import IdList
from shared.persistence.engine import Database
from shared.persistence.statements import reading

PassageKey = tuple[str, str]
"""The generation and the id of a point."""


class PassageRows:
    """Passages by the ids that stores know them by. Raises LedgerUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._documents = Documents(database)
        self._ids = IdList(database.relaxed.dialect)
        self._chunks = _CHUNKS.where(self._ids.holds(chunk.c.point_id))

    async def of_points(
        self, tenant_id: str, points: Sequence[PassageKey]
    ) -> dict[PassageKey, Document]:
        """The documents of those that a document has: none of a retired or an unknown one.

        Ask `is_searchable` of each. A chunk that is about to be written or moved is one of its
        document: what an unchanged one says is right all the while.
        """
        async with reading(self._database.relaxed) as connection:
            keys = await self._keys(connection, tenant_id, points)
            documents = await self._documents.read(connection, tenant_id, {*keys.values()})
        return {point: documents[key] for point, key in keys.items() if key in documents}

    async def _keys(
        self, connection: AsyncConnection, tenant_id: str, points: Sequence[PassageKey]
    ) -> dict[PassageKey, DocumentKey]:
        by_generation: dict[str, list[str]] = {}
        for generation, point in points:
            by_generation.setdefault(generation, []).append(point)
        found: dict[PassageKey, DocumentKey] = {}
        for generation, ids in by_generation.items():
            wanted = {"tenant": tenant_id, "generation": generation}
            rows = await connection.execute(self._chunks, wanted | self._ids.parameters(ids))
            for point, collection_id, document_id, state in rows:
                if state is not ChunkState.RETIRED:
                    found[generation, point] = (collection_id, document_id)
        return found


_CHUNKS: Final = select(
    chunk.c.point_id, chunk.c.collection_id, chunk.c.document_id, chunk.c.state
).where(
    # By the ids alone: a planner without statistics reads a whole generation for some of it.
    chunk.c.generation.concat("") == bindparam("generation"),
    chunk.c.tenant_id == bindparam("tenant"),
)
