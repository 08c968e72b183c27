"""Conversations, read from the ledger itself: its completed messages are the only record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, and_, select

from shared.messages.input_item import InputItem, Role
from shared.messages.message_body import decode_body
from shared.messages.record import MessageRecord
from shared.messages.state import ResponseState
from shared.persistence.engine import Database
from shared.persistence.statements import transaction
from shared.persistence.tables import message


class ConversationRepository:
    """What was said before a message, within its tenant; raises LedgerUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def before(self, record: MessageRecord, *, limit: int) -> list[InputItem]:
        """The items of up to `limit` earlier messages, oldest first.

        By `previous_response_id` it is the chain that led here; by `conversation` it is all that
        was completed in it before this message was accepted.
        """
        if record.previous_id is not None:
            rows = await self._chain(record, limit)
        elif record.conversation_id is not None:
            rows = await self._conversation(record, limit)
        else:
            return []
        return [item for row in reversed(rows) for item in _items(row)]

    async def _conversation(self, record: MessageRecord, limit: int) -> Sequence[Row[Any, Any]]:
        query = (
            select(message.c.body, message.c.output_text)
            .where(
                message.c.tenant_id == record.tenant_id,
                message.c.conversation_id == record.conversation_id,
                message.c.state == ResponseState.COMPLETED,
                message.c.id != record.id,
            )
            .order_by(message.c.finished_at.desc())
            .limit(limit)
        )
        async with transaction(self._database.relaxed) as connection:
            return (await connection.execute(query)).all()

    async def _chain(self, record: MessageRecord, limit: int) -> Sequence[Row[Any, Any]]:
        columns = (message.c.id, message.c.previous_id, message.c.body, message.c.output_text)
        mine = and_(
            message.c.tenant_id == record.tenant_id, message.c.state == ResponseState.COMPLETED
        )
        chain = (
            select(*columns)
            .where(mine, message.c.id == record.previous_id)
            .cte("chain", recursive=True)
        )
        chain = chain.union_all(
            select(*columns).join(chain, message.c.id == chain.c.previous_id).where(mine)
        )
        query = select(chain.c.body, chain.c.output_text).limit(limit)
        async with transaction(self._database.relaxed) as connection:
            return (await connection.execute(query)).all()


def _items(row: Row[Any]) -> list[InputItem]:
    said = decode_body(row.body.encode()).items
    answered = [InputItem(Role.ASSISTANT, row.output_text)] if row.output_text else []
    return [*said, *answered]
