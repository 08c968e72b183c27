"""Sweeps of files: what has expired is forgotten, and content that nothing names is removed."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from sqlalchemy import Integer, bindparam, delete, select
from sqlalchemy.exc import IntegrityError

from shared.clock import Clock
from shared.files.content_store import ContentStore
from shared.files.file_catalogue import FileCatalogue
from shared.files.tables import content, stored_file
from shared.persistence.engine import Database
from shared.persistence.statements import reading, transaction

_SKEW: Final = timedelta(minutes=1)
"""What the clocks of two hosts may differ: removable by ours, content may be a draft by theirs."""
_CHUNKS_AT_ONCE: Final = 32
_CHUNKS_A_ROUND: Final = 256


class FileSweeps:
    """The janitor's work on files, in small transactions; raises Unavailable.

    Any number may sweep side by side: what one of them has done, another finds done.
    """

    def __init__(self, database: Database, store: ContentStore, clock: Clock) -> None:
        self._database = database
        self._store = store
        self._clock = clock
        self._catalogue = FileCatalogue(database, clock)

    async def expire(self, limit: int = 50) -> int:
        """Forget up to `limit` files whose time is over, each by itself; how many there were."""
        bounds = {"now": self._clock.now(), "limit": limit}
        async with reading(self._database.relaxed) as connection:
            expired = (await connection.execute(_EXPIRED, bounds)).all()
        for file_id, tenant_id in expired:
            await self._catalogue.delete(file_id, tenant_id=tenant_id)
        return len(expired)

    async def remove(self, limit: int = 50) -> int:
        """Remove up to `limit` contents that nothing names, and some of a large one.

        How many are gone whole.
        """
        bounds = {"before": self._clock.now() - _SKEW, "limit": limit}
        async with reading(self._database.relaxed) as connection:
            unnamed = (await connection.execute(_UNNAMED, bounds)).scalars().all()
        left, gone = _CHUNKS_A_ROUND, 0
        for content_id in unnamed:
            while left > 0:
                removed = await self._store.delete(content_id, limit=_CHUNKS_AT_ONCE)
                left -= max(removed, 1)
                if removed < _CHUNKS_AT_ONCE:
                    gone += await self._forget(content_id)
                    break
        return gone

    async def _forget(self, content_id: str) -> bool:
        try:
            async with transaction(self._database.relaxed) as connection:
                gone = await connection.execute(_FORGET, {"id": content_id})
        except IntegrityError:
            return False  # a chunk came late: it goes with the next round
        return gone.rowcount > 0


_LIMIT: Final = bindparam("limit", type_=Integer)
_EXPIRED: Final = (
    select(stored_file.c.id, stored_file.c.tenant_id)
    .where(stored_file.c.expires_at <= bindparam("now"))
    .order_by(stored_file.c.expires_at)
    .limit(_LIMIT)
)
_UNNAMED: Final = (
    select(content.c.id)
    .where(content.c.removable_at < bindparam("before"))
    .order_by(content.c.removable_at)
    .limit(_LIMIT)
)
_FORGET: Final = delete(content).where(
    content.c.id == bindparam("id"), content.c.removable_at.is_not(None)
)
