"""Retention: what is old is deleted, a little at a time, so that nobody waits for it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import BindParameter, Integer, Select, bindparam, delete, select

from shared.clock import Clock
from shared.identifiers import RESPONSE, first_id
from shared.messages.state import TERMINAL
from shared.persistence.engine import Database
from shared.persistence.id_list import IdList
from shared.persistence.statements import transaction
from shared.persistence.tables import HandoffState, attempt, dead_letter, handoff, message
from shared.settings.servers import LedgerSettings

_BEFORE: Final[BindParameter[Any]] = bindparam("before")
_LIMIT: Final = bindparam("limit", type_=Integer)


class Retention:
    """Forgets ended messages, dead letters and closed handoffs after `retention_days`, and what was
    spent after `attempt_retention_days`; raises LedgerUnavailable.
    """

    def __init__(self, database: Database, settings: LedgerSettings, clock: Clock) -> None:
        self._engine = database.relaxed
        self._settings = settings
        self._clock = clock
        self._ids = IdList(database.relaxed.dialect)
        self._delete = {
            named_by.table.name: delete(named_by.table).where(self._ids.holds(named_by))
            for named_by in (message.c.id, dead_letter.c.id, handoff.c.id, attempt.c.message_id)
        }

    async def forget_old(self, limit: int = 500) -> dict[str, int]:
        """Delete up to `limit` rows of each table, each in a transaction; how many there were.

        Of what was spent it is all attempts of up to `limit` messages.
        """
        now = self._clock.now()
        before = now - timedelta(days=self._settings.retention_days)
        spent_before = now - timedelta(days=self._settings.attempt_retention_days)
        since = dict.fromkeys(_OLD, before) | {"attempt": first_id(RESPONSE, spent_before)}
        return {
            table: await self._forget(table, {"before": since[table], "limit": limit})
            for table in _OLD
        }

    async def _forget(self, table: str, bounds: dict[str, Any]) -> int:
        async with transaction(self._engine) as connection:
            # Looked up first: most rounds find nothing, and take no lock then.
            found = (await connection.execute(_OLD[table], bounds)).scalars().all()
            if not found:
                return 0
            deleted = await connection.execute(self._delete[table], self._ids.parameters(found))
            return deleted.rowcount


def _messages() -> Select[Any]:
    return (
        select(message.c.id)
        .where(message.c.finished_at < _BEFORE, message.c.state.in_(TERMINAL))
        .order_by(message.c.finished_at)
        .limit(_LIMIT)
    )


def _letters() -> Select[Any]:
    return (
        select(dead_letter.c.id)
        .where(dead_letter.c.created_at < _BEFORE)
        .order_by(dead_letter.c.created_at)
        .limit(_LIMIT)
    )


def _handoffs() -> Select[Any]:
    """An open one waits for its human however long that takes."""
    return (
        select(handoff.c.id)
        .where(handoff.c.created_at < _BEFORE, handoff.c.answered_at < _BEFORE)
        .where(handoff.c.state != HandoffState.OPEN)
        .order_by(handoff.c.created_at)
        .limit(_LIMIT)
    )


def _attempts() -> Select[Any]:
    """By their message's id, which sorts by time: it needs no index of its own."""
    return (
        select(attempt.c.message_id)
        .distinct()
        .where(attempt.c.message_id < _BEFORE)
        .order_by(attempt.c.message_id)
        .limit(_LIMIT)
    )


_OLD: Final = {
    "message": _messages(),
    "dead_letter": _letters(),
    "handoff": _handoffs(),
    "attempt": _attempts(),
}
