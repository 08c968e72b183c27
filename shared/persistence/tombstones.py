"""Tombstones: what stays of a message when all that was said is taken out of its row.

The row itself stays until its retention is over. So a message that is repeated under its
idempotency key is known, and is not answered and paid for a second time.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import String, bindparam, column, delete, table, update
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.messages.body import Body, encode_body
from shared.messages.state import TERMINAL
from shared.persistence.bulk_parameters import IdList
from shared.persistence.engine import Database
from shared.persistence.tables import attempt, dead_letter, handoff, message

# The room of feedback stands above this one: of its table, what is needed here.
_FEEDBACK: Final = table("feedback", column("response_id", String), column("comment", String))
NOTHING_SAID: Final = encode_body(Body.says("")).decode()
_ERASED: Final = {
    "body": NOTHING_SAID,
    "body_digest": "",
    **dict.fromkeys(
        (
            "output_text",
            "output_items",
            "report",
            "error_message",
            "conversation_id",
            "previous_id",
            "traceparent",
            "reply_to",
            "reply_correlation",
            "reply_shape",
        )
    ),
}


class Tombstones:
    """Lays them within the transaction of whoever erases; to repeat it changes nothing."""

    def __init__(self, database: Database) -> None:
        self._ids = IdList(database.durable.dialect)
        holds = self._ids.holds
        ended = update(message).where(
            holds(message.c.id), message.c.state.in_(TERMINAL), message.c.erased_at.is_(None)
        )
        self._erase = ended.values(erased_at=bindparam("b_now"), **_ERASED).returning(message.c.id)
        self._beside = (
            update(attempt)
            .where(holds(attempt.c.message_id), attempt.c.detail.is_not(None))
            .values(detail=None),
            update(_FEEDBACK)
            .where(holds(_FEEDBACK.c.response_id), _FEEDBACK.c.comment.is_not(None))
            .values(comment=None),
            delete(handoff).where(holds(handoff.c.message_id)),
            delete(dead_letter).where(holds(dead_letter.c.message_id)),
        )

    async def lay(
        self, connection: AsyncConnection, message_ids: Sequence[str], *, now: datetime
    ) -> list[str]:
        """Take the text out of those that have ended; which of them still had some.

        Their handoffs and dead letters go, the comments of their feedback, and what their attempts
        say besides what they cost.
        """
        if not message_ids:
            return []
        values = self._ids.parameters(message_ids)
        rows = await connection.execute(self._erase, values | {"b_now": now})
        erased: list[str] = [*rows.scalars()]
        await self.clear_beside(connection, message_ids)
        return erased

    async def clear_beside(self, connection: AsyncConnection, message_ids: Sequence[str]) -> None:
        """Take away what other tables say of these messages; what they cost stays booked."""
        for statement in self._beside:
            await connection.execute(statement, self._ids.parameters(message_ids))
