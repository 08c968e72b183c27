"""Vectors by what they were made of, so that the same text is embedded once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select, update

from shared.clock import Clock
from shared.index.chunk import CachedVector
from shared.index.tables import embedding
from shared.persistence.bulk_parameters import IdList
from shared.persistence.engine import Database
from shared.persistence.statements import insert_new, reading, transaction

EVERYBODY: Final = ""
"""The owner of vectors where an operator lets tenants share them."""
GROUP: Final = 500
"""Rows of one statement."""
FRESH: Final = timedelta(days=1)
"""How long what was seen is not written down again."""


class EmbeddingCache:
    """Vectors of one owner and encoder by the digests of their texts; raises LedgerUnavailable.

    What was found is not swept for as long as vectors are kept: see EmbeddingSweeps.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._ids = IdList(database.relaxed.dialect)
        named = self._ids.holds(embedding.c.digest)
        self._find = _OF_OWNER.where(named)
        self._lock = _LOCK.where(named)
        self._touch = _TOUCH.where(named)
        self._insert = insert_new(embedding, sqlite_dialect=database.is_sqlite)

    async def find(self, owner: str, encoder: str, digests: Sequence[str]) -> dict[str, bytes]:
        """Those that are known: float32, little-endian."""
        found: dict[str, bytes] = {}
        stale: list[str] = []
        fresh_since = self._clock.now() - FRESH
        async with reading(self._database.relaxed) as connection:
            for first in range(0, len(digests), GROUP):
                wanted = self._of(owner, encoder, digests[first : first + GROUP])
                for row in await connection.execute(self._find, wanted):
                    found[row.digest] = row.vector
                    if row.is_unnamed or row.seen_at is None or row.seen_at < fresh_since:
                        stale.append(row.digest)
        for first in range(0, len(stale), GROUP):
            some = stale[first : first + GROUP]
            for digest in {*some} - await self._touched(owner, encoder, some):
                del found[digest]
        return found

    async def _touched(self, owner: str, encoder: str, digests: Sequence[str]) -> set[str]:
        """Those that no sweep takes from now on; the others were swept since they were read."""
        wanted = self._of(owner, encoder, digests)
        async with transaction(self._database.relaxed) as connection:
            kept = [*(await connection.execute(self._lock, wanted)).scalars()]
            wanted = self._of(owner, encoder, kept) | {"now": self._clock.now()}
            await connection.execute(self._touch, wanted)
        return {*kept}

    def _of(self, owner: str, encoder: str, digests: Sequence[str]) -> dict[str, Any]:
        return {"b_owner": owner, "b_encoder": encoder, **self._ids.parameters(digests)}

    def add(self, connection: Connection, vectors: Sequence[CachedVector]) -> None:
        """Keep them, within the caller's transaction; one that is known stays as it is."""
        now = self._clock.now()
        rows = [
            {
                "owner": each.owner,
                "encoder": each.encoder,
                "digest": each.digest,
                "vector": each.vector,
                "made_at": now,
                "seen_at": now,
            }
            # In one order, so that two who keep the same vectors never wait for each other.
            for each in sorted(vectors, key=lambda one: (one.owner, one.encoder, one.digest))
        ]
        for first in range(0, len(rows), GROUP):
            connection.execute(self._insert, rows[first : first + GROUP])


OF: Final = (
    embedding.c.owner == bindparam("b_owner"),
    embedding.c.encoder == bindparam("b_encoder"),
)
_OF_OWNER: Final = select(
    embedding.c.digest, embedding.c.vector, embedding.c.seen_at, embedding.c.is_unnamed
).where(*OF)
# In one order, for whoever touches the same ones.
_LOCK: Final = select(embedding.c.digest).where(*OF).order_by(embedding.c.digest).with_for_update()
_TOUCH: Final = update(embedding).where(*OF).values(seen_at=bindparam("now"), is_unnamed=False)
