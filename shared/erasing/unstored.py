"""Messages of which nothing is to be kept: their text goes once fetched, or when time is up."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Integer, Select, bindparam, select, text

from shared.batches.tables import IN_OPEN_BATCH
from shared.clock import Clock
from shared.messages.state import TERMINAL
from shared.persistence.engine import Database
from shared.persistence.message_conditions import UNSTORED
from shared.persistence.statements import reading, transaction
from shared.persistence.tables import message
from shared.persistence.tombstones import Tombstones
from shared.replies.reply_stream import ReplyStream
from shared.settings.servers import LedgerSettings

FETCHED_GRACE: Final = timedelta(seconds=30)
"""What was written to a connection may have been lost with it: for so long it can be had again."""


class UnstoredMessages:
    """Sweeps what was accepted with `store: false` and has ended; raises Unavailable."""

    def __init__(
        self, database: Database, replies: ReplyStream, settings: LedgerSettings, clock: Clock
    ) -> None:
        self._database = database
        self._replies = replies
        self._kept = timedelta(seconds=settings.unstored_seconds)
        self._clock = clock
        self._tombstones = Tombstones(database)

    async def forget(self, limit: int = 100) -> int:
        """Take the text out of up to `limit` that were fetched, and as many whose time is up.

        Their events in Redis go first. How many there were.
        """
        now = self._clock.now()
        fetched = {"before": now - FETCHED_GRACE, "limit": limit}
        over = {"before": now - self._kept, "limit": limit}
        async with reading(self._database.relaxed) as connection:
            found = [*(await connection.execute(_FETCHED, fetched)).scalars()]
            found += (await connection.execute(_OVER, over)).scalars()
        if not found:
            return 0
        await self._replies.delete_all(found)
        async with transaction(self._database.durable) as connection:
            return len(await self._tombstones.lay(connection, found, now=now))


def _ended(column: str) -> Select[Any]:
    at = message.c[column]
    return (
        select(message.c.id)
        .where(text(UNSTORED), at < bindparam("before"), message.c.state.in_(TERMINAL))
        .where(~IN_OPEN_BATCH)
        .order_by(at)
        .limit(bindparam("limit", type_=Integer))
    )


_FETCHED: Final = _ended("replied_at").where(message.c.replied_at.is_not(None))
_OVER: Final = _ended("finished_at")
