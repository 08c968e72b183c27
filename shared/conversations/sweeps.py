"""Sweeps of conversations: what was put into them is kept as long as messages are."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import BindParameter, Integer, Select, Table, bindparam, delete, exists, select

from shared.clock import Clock
from shared.conversations.tables import conversation, conversation_item
from shared.persistence.engine import Database
from shared.persistence.statements import transaction
from shared.persistence.tables import message
from shared.settings.servers import LedgerSettings

_BEFORE: Final[BindParameter[Any]] = bindparam("before")
_LIMIT: Final = bindparam("limit", type_=Integer)


class ConversationSweeps:
    """Forgets after `retention_days` what callers put into conversations, and what they deleted
    once no message is left that it could bring back; raises LedgerUnavailable.

    A conversation that nobody deletes stays, as a file does.
    """

    def __init__(self, database: Database, settings: LedgerSettings, clock: Clock) -> None:
        self._engine = database.relaxed
        self._settings = settings
        self._clock = clock

    async def forget_old(self, limit: int = 500) -> dict[str, int]:
        """Delete up to `limit` rows of each kind, in a transaction each; how many there were."""
        before = self._clock.now() - timedelta(days=self._settings.retention_days)
        bounds = {"before": before, "limit": limit}
        return {name: await self._forget(table, old, bounds) for name, table, old in _OLD}

    async def _forget(self, table: Table, old: Select[Any], bounds: dict[str, Any]) -> int:
        async with transaction(self._engine) as connection:
            # Looked up first: most rounds find nothing, and take no lock then.
            found = [row._asdict() for row in await connection.execute(old, bounds)]
            if found:
                # One by one: a list of keys of several columns is no index's to any planner.
                await connection.execute(_FORGET[table.name], found)
            return len(found)


def _items() -> Select[Any]:
    item = conversation_item
    return (
        select(*item.primary_key)
        .where(item.c.said_at < _BEFORE, item.c.item.is_not(None))
        .order_by(item.c.said_at)
        .limit(_LIMIT)
    )


def _taken_out() -> Select[Any]:
    """Of those that were in a message there has to be none left that ended before."""
    item = conversation_item
    older = exists().where(
        message.c.tenant_id == item.c.tenant_id,
        message.c.conversation_id == item.c.conversation_id,
        message.c.finished_at <= item.c.said_at,
    )
    return (
        select(*item.primary_key)
        .where(item.c.said_at < _BEFORE, item.c.item.is_(None), ~older)
        .order_by(item.c.said_at)
        .limit(_LIMIT)
    )


def _deleted() -> Select[Any]:
    mine = exists().where(
        message.c.tenant_id == conversation.c.tenant_id,
        message.c.conversation_id == conversation.c.id,
    )
    return (
        select(*conversation.primary_key)
        .where(conversation.c.deleted_at < _BEFORE, ~mine)
        .order_by(conversation.c.deleted_at)
        .limit(_LIMIT)
    )


_FORGET: Final = {
    table.name: delete(table).where(*(key == bindparam(key.name) for key in table.primary_key))
    for table in (conversation, conversation_item)
}
_OLD: Final = (
    ("conversation_item", conversation_item, _items()),
    ("taken_out", conversation_item, _taken_out()),
    ("conversation", conversation, _deleted()),
)
