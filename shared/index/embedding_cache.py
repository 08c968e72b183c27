"""Vectors by what they were made of, so that the same text is embedded once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.clock import Clock
from shared.index.chunk import CachedVector
from shared.index.tables import embedding
from shared.persistence.bulk_parameters import IdList
from shared.persistence.engine import Database
from shared.persistence.statements import insert_new, reading

GROUP: Final = 500
"""Rows of one statement."""


class EmbeddingCache:
    """Vectors of one owner and encoder by the digests of their texts; raises LedgerUnavailable.

    Nothing leaves it: what a document said once may be said again by a branch or a copy of it.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._ids = IdList(database.relaxed.dialect)
        self._find = _OF_OWNER.where(self._ids.holds(embedding.c.digest))
        self._insert = insert_new(embedding, sqlite_dialect=database.is_sqlite)

    async def find(self, owner: str, encoder: str, digests: Sequence[str]) -> dict[str, bytes]:
        """Those that are known: float32, little-endian."""
        found: dict[str, bytes] = {}
        async with reading(self._database.relaxed) as connection:
            for first in range(0, len(digests), GROUP):
                wanted: dict[str, Any] = self._ids.parameters(digests[first : first + GROUP])
                wanted |= {"owner": owner, "encoder": encoder}
                rows = await connection.execute(self._find, wanted)
                found |= {row.digest: row.vector for row in rows}
        return found

    async def add(self, connection: AsyncConnection, vectors: Sequence[CachedVector]) -> None:
        """Keep them, within the caller's transaction; one that is known stays as it is."""
        now = self._clock.now()
        rows = [
            {
                "owner": each.owner,
                "encoder": each.encoder,
                "digest": each.digest,
                "vector": each.vector,
                "made_at": now,
            }
            # In one order, so that two who keep the same vectors never wait for each other.
            for each in sorted(vectors, key=lambda one: (one.owner, one.encoder, one.digest))
        ]
        for first in range(0, len(rows), GROUP):
            await connection.execute(self._insert, rows[first : first + GROUP])


_OF_OWNER: Final = select(embedding.c.digest, embedding.c.vector).where(
    embedding.c.owner == bindparam("owner"), embedding.c.encoder == bindparam("encoder")
)
