"""Sweeps of files and of what messages refer to: content that nothing names is removed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

from sqlalchemy import Integer, bindparam, delete, select, update
from sqlalchemy.exc import IntegrityError

from shared.clock import Clock
from shared.files.content_store import ContentStore
from shared.files.drafts import UNTOUCHED
from shared.files.file_catalogue import FileCatalogue
from shared.files.tables import content, message_content, stored_file
from shared.files.tenant_storage import TenantStorage
from shared.persistence.bulk_parameters import IdList
from shared.persistence.engine import Database
from shared.persistence.statements import reading, transaction
from shared.persistence.tables import message

_SKEW: Final = timedelta(minutes=1)
"""What the clocks of two hosts may differ: removable by ours, content may be a draft by theirs."""
_CHUNKS_AT_ONCE: Final = 32
_CHUNKS_A_ROUND: Final = 256
TakeOut = Callable[[str, str], Awaitable[object]]
"""Takes a tenant's file out of what was made of it; it may be repeated."""


class FileSweeps:
    """The janitor's work on files, in small transactions; raises Unavailable.

    Any number may sweep side by side: what one of them has done, another finds done.
    """

    def __init__(
        self, database: Database, store: ContentStore, clock: Clock, *, take_out: TakeOut
    ) -> None:
        self._take_out = take_out
        self._database = database
        self._store = store
        self._clock = clock
        self._catalogue = FileCatalogue(database, clock)
        self._storage = TenantStorage(database)
        self._place = ""
        ids = self._ids = IdList(database.durable.dialect)
        self._unrefer = (
            delete(message_content)
            .where(ids.holds(message_content.c.message_id), _TOLD_BY.is_(None))
            .returning(message_content.c.content_id)
        )
        self._unname = (
            update(content)
            .where(ids.holds(content.c.id), content.c.digest.is_not(None))
            .where(_REFERRED_BY.is_(None))
            .values(digest=None, removable_at=bindparam("b_until"))
        )

    async def expire(self, limit: int = 50) -> int:
        """Forget up to `limit` files whose time is over, each by itself; how many there were.

        Each is taken out of what else has it before that, again where one of two was cut off, and
        once more after it: it may have been put in meanwhile.
        """
        bounds = {"now": self._clock.now(), "limit": limit}
        async with reading(self._database.relaxed) as connection:
            expired = (await connection.execute(_EXPIRED, bounds)).all()
        for file_id, tenant_id in expired:
            await self._take_out(tenant_id, file_id)
            await self._catalogue.delete(file_id, tenant_id=tenant_id)
            await self._take_out(tenant_id, file_id)
        return len(expired)

    async def release(self, limit: int = 500) -> int:
        """Look at the next `limit` references, and take away those of messages that say nothing
        any more; how many those were.

        From one message to the next, and again from the first. Content to which the last reference
        has gone is removed when whoever reads it has had `UNTOUCHED` to end.
        """
        bounds = {"place": self._place, "limit": limit}
        async with reading(self._database.relaxed) as connection:
            looked = (await connection.execute(_REFERENCES, bounds)).all()
        self._place = looked[-1].message_id if len(looked) == limit else ""
        silent = dict[str, set[str]]()
        for row in looked:
            if row.told_by is None:
                silent.setdefault(row.tenant_id, set()).add(row.message_id)
        return sum([await self._release(*each) for each in silent.items()])

    async def _release(self, tenant_id: str, message_ids: set[str]) -> int:
        async with transaction(self._database.durable) as connection:
            await self._storage.lock(connection, tenant_id)
            named = self._ids.parameters([*message_ids])
            gone: list[str] = [*(await connection.execute(self._unrefer, named)).scalars()]
            if gone:
                until = {"b_until": self._clock.now() + UNTOUCHED}
                await connection.execute(self._unname, self._ids.parameters([*{*gone}]) | until)
        return len(gone)

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
# Looked up one by one: a join, or an EXISTS that is made one, may read all there is for some of it.
_TOLD_BY: Final = (
    select(message.c.id)
    .where(message.c.id == message_content.c.message_id, message.c.erased_at.is_(None))
    .scalar_subquery()
)
_REFERRED_BY: Final = (
    select(message_content.c.message_id)
    .where(message_content.c.content_id == content.c.id)
    .limit(1)
    .scalar_subquery()
)
_REFERENCES: Final = (
    select(
        message_content.c.message_id,
        select(content.c.tenant_id)
        .where(content.c.id == message_content.c.content_id)
        .scalar_subquery()
        .label("tenant_id"),
        _TOLD_BY.label("told_by"),
    )
    .where(message_content.c.message_id > bindparam("place"))
    .order_by(message_content.c.message_id)
    .limit(_LIMIT)
)
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
