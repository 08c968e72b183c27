"""The inbox: messages that a human has."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import select, update

from shared.clock import Clock
from shared.errors import Conflict, InvalidRequest, NotFound
from shared.messages.record import MessageRecord
from shared.messages.state import ResponseState
from shared.persistence.engine import Database
from shared.persistence.ledger.settlement.end_events import EndedMessage, EndEvents
from shared.persistence.statements import RECORD_COLUMNS, reading, record_of, transaction
from shared.persistence.tables import HandoffState, handoff, message
from shared.storable_text import is_storable


class HandoffRow(msgspec.Struct, frozen=True, kw_only=True):
    """A message waiting for a human, or answered by one, without what was said."""

    id: str
    message_id: str
    tenant_id: str
    state: HandoffState
    reason: str
    created_at: datetime
    answered_at: datetime | None
    answered_by: str | None


class Handoff(HandoffRow, frozen=True, kw_only=True):
    """One with what it asks."""

    body: str
    """JSON of the message's body."""
    previous_id: str | None
    conversation_id: str | None
    """What the message continues."""


_WHOLE = select(handoff, message.c.body, message.c.previous_id, message.c.conversation_id).join(
    message, message.c.id == handoff.c.message_id
)

_ANSWERED = (
    update(message)
    .where(message.c.state == ResponseState.REQUIRES_ACTION)
    .values(state=ResponseState.COMPLETED)
    .returning(*RECORD_COLUMNS)
)


class HandoffRepository:
    """Everything raises LedgerUnavailable when the database does not answer."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._events = EndEvents(database)

    async def list(
        self, *, state: HandoffState | None = HandoffState.OPEN, limit: int = 100
    ) -> list[Handoff]:
        """The longest waiting first; of any state when `state` is None."""
        query = _WHOLE.order_by(handoff.c.created_at).limit(limit)
        if state is not None:
            query = query.where(handoff.c.state == state)
        async with reading(self._database.relaxed) as connection:
            return [Handoff(**row._mapping) for row in await connection.execute(query)]

    async def show(self, handoff_id: str) -> Handoff:
        """One of them; raises NotFound."""
        async with reading(self._database.relaxed) as connection:
            found = await connection.execute(_WHOLE.where(handoff.c.id == handoff_id))
            row = found.one_or_none()
        if row is None:
            raise _unknown(handoff_id)
        return Handoff(**row._mapping)

    async def answer(self, handoff_id: str, *, text: str, answered_by: str) -> MessageRecord:
        """Complete the message with a human's text, once; the record as it stands then.

        Raises NotFound, Conflict when it was answered or closed before, and InvalidRequest for
        text that no database takes; the handoff stays open then.
        """
        for name, value in (("id", handoff_id), ("answer", text), ("name", answered_by)):
            if not is_storable(value):
                raise InvalidRequest(
                    f"The {name} holds a NUL character or is not valid UTF-8. Write it without."
                )
        now = self._clock.now()
        async with transaction(self._database.durable) as connection:
            taken = (
                await connection.execute(
                    update(handoff)
                    .where(handoff.c.id == handoff_id, handoff.c.state == HandoffState.OPEN)
                    .values(state=HandoffState.ANSWERED, answered_at=now, answered_by=answered_by)
                    .returning(handoff.c.message_id)
                )
            ).one_or_none()
            if taken is None:
                state = await connection.scalar(
                    select(handoff.c.state).where(handoff.c.id == handoff_id)
                )
                raise _not_open(handoff_id, state)
            ending = _ANSWERED.where(message.c.id == taken.message_id).values(
                finished_at=now, output_text=text, answered_by=f"human:{answered_by}"
            )
            row = (await connection.execute(ending)).one_or_none()
            if row is None:
                raise Conflict(f"The message of '{handoff_id}' does not wait for a human any more.")
            ended = EndedMessage(row.id, row.tenant_id, ResponseState.COMPLETED)
            await self._events.add(connection, [ended], now=now)
        return record_of(row)


def _not_open(handoff_id: str, state: HandoffState | None) -> Conflict | NotFound:
    if state is None:
        return _unknown(handoff_id)
    return Conflict(f"The handoff '{handoff_id}' is {state} already.")


def _unknown(handoff_id: str) -> NotFound:
    return NotFound(f"There is no handoff '{handoff_id[:64]}'. See: forebay handoff list.")
