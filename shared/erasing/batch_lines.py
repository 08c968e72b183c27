"""The lines of a batch that is to be forgotten."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Integer, bindparam, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.batches.tables import batch_item
from shared.persistence.bulk_parameters import IdList
from shared.persistence.engine import Database
from shared.persistence.statements import transaction
from shared.persistence.tables import message
from shared.persistence.tombstones import Tombstones

_AT_ONCE: Final = 500


class BatchLines:
    """Takes them away with the messages that were kept for them, some in a transaction."""

    def __init__(self, database: Database) -> None:
        self._engine = database.relaxed
        self._tombstones = Tombstones(database)
        self._ids = IdList(database.relaxed.dialect)
        self._delete = delete(message).where(self._ids.holds(message.c.id))

    async def forget(self, batch_id: str) -> None:
        """All lines of a batch that has ended; raises LedgerUnavailable, and is done again then."""
        is_more = True
        while is_more:
            async with transaction(self._engine) as connection:
                is_more = await self._forget_some(connection, batch_id)

    async def _forget_some(self, connection: AsyncConnection, batch_id: str) -> bool:
        bounds = {"batch": batch_id, "limit": _AT_ONCE}
        lines = (await connection.execute(_LINES, bounds)).all()
        if lines:
            kept = [row.message_id for row in lines if row.message_id is not None]
            await self._tombstones.clear_beside(connection, kept)
            await connection.execute(self._delete, self._ids.parameters(kept))
            last = {"b_batch": batch_id, "b_last": lines[-1].line}
            await connection.execute(_FORGET, last)
        return len(lines) == _AT_ONCE


_LINES: Final = (
    select(batch_item.c.line, batch_item.c.message_id)
    .where(batch_item.c.batch_id == bindparam("batch"))
    .order_by(batch_item.c.line)
    .limit(bindparam("limit", type_=Integer))
)
_FORGET: Final = delete(batch_item).where(
    batch_item.c.batch_id == bindparam("b_batch"), batch_item.c.line <= bindparam("b_last")
)
