"""Cancelling many messages at once, each as its caller could."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Row, bindparam, update

from shared.clock import Clock
from shared.messages.state import ResponseState, sources_of
from shared.persistence.bulk_parameters import IdList
from shared.persistence.engine import Database
from shared.persistence.ledger.settlement.end_events import EndedMessage, EndEvents
from shared.persistence.statements import transaction
from shared.persistence.tables import HandoffState, handoff, message
from shared.replies.reply_stream import ReplyStream
from shared.reservations.reservations import Reservations

_TOLD: Final = (
    message.c.id,
    message.c.tenant_id,
    message.c.user_id,
    message.c.estimated_tokens,
    message.c.attempt,
    message.c.claimed_by,
)
"""What is told of a cancelled message, of hundreds at once: not its body, of megabytes maybe."""

_TOLD_AT_ONCE: Final = 16
"""Others ask the same Redis, over the same connections."""


class GroupCancelling:
    """Cancels messages that have not ended; those who wait are told, and their workers."""

    def __init__(
        self, database: Database, replies: ReplyStream, reservations: Reservations, clock: Clock
    ) -> None:
        self._database = database
        self._replies = replies
        self._reservations = reservations
        self._clock = clock
        self._events = EndEvents(database)
        ids = self._ids = IdList(database.durable.dialect)
        self._cancel = (
            update(message)
            .where(
                ids.holds(message.c.id),
                message.c.state.in_(sources_of(ResponseState.CANCELLED)),
            )
            .values(
                state=ResponseState.CANCELLED,
                finished_at=bindparam("b_now"),
                lease_until=None,
                wake_at=None,
            )
            .returning(*_TOLD)
        )
        self._close = (
            update(handoff)
            .where(ids.holds(handoff.c.message_id), handoff.c.state == HandoffState.OPEN)
            .values(state=HandoffState.CLOSED, answered_at=bindparam("b_now"))
        )

    async def cancel(self, message_ids: Sequence[str], *, were_admitted: bool = True) -> int:
        """How many of them were cancelled here, in one transaction; raises LedgerUnavailable.

        Messages that the door has not admitted hold nothing until a worker begins them.
        """
        if not message_ids:
            return 0
        now = self._clock.now()
        values = self._ids.parameters(message_ids) | {"b_now": now}
        async with transaction(self._database.durable) as connection:
            cancelled = (await connection.execute(self._cancel, values)).all()
            await connection.execute(self._close, values)
            ended = [
                EndedMessage(row.id, row.tenant_id, ResponseState.CANCELLED) for row in cancelled
            ]
            await self._events.add(connection, ended, now=now)
        await self._replies.wake_all([row.id for row in cancelled])
        if not were_admitted:
            cancelled = [row for row in cancelled if row.attempt > 0]
        # Side by side: one after the other, the next group's turns begin meanwhile and are paid.
        for first in range(0, len(cancelled), _TOLD_AT_ONCE):
            some = cancelled[first : first + _TOLD_AT_ONCE]
            await asyncio.gather(*(self._settle(row) for row in some))
        return len(cancelled)

    async def _settle(self, cancelled: Row[Any]) -> None:
        await self._reservations.cancel(
            cancelled.tenant_id,
            cancelled.user_id,
            message_id=cancelled.id,
            estimated_tokens=cancelled.estimated_tokens,
            has_begun=cancelled.attempt > 0,
        )
        if cancelled.claimed_by is not None:
            await self._replies.wake(cancelled.claimed_by)
