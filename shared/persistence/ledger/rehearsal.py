"""Accepting, tried without a message: what is ready to answer need not be ready to commit."""

from __future__ import annotations

from sqlalchemy import delete, insert
from sqlalchemy.exc import DBAPIError

from shared.clock import Clock
from shared.errors import LedgerUnavailable
from shared.identifiers import new_response_id
from shared.messages.lane import Lane
from shared.messages.record import Surface
from shared.messages.state import ResponseState
from shared.persistence.engine import Database
from shared.persistence.statements import transaction
from shared.persistence.tables import message

_NOBODY = "rehearsal"


class Rehearsal:
    """Writes a row where messages lie and takes it away again, in one durable commit.

    Nobody ever sees the row. It finds a database that is read-only, full, locked, out of
    connections or without the standby that it must wait for, all of which answer a SELECT.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._engine = database.durable
        self._clock = clock

    async def __call__(self) -> None:
        """Return when a message could be committed now; raises LedgerUnavailable."""
        message_id, now = new_response_id(), self._clock.now()
        row = {
            "id": message_id,
            "tenant_id": _NOBODY,
            "lane": Lane.STANDARD,
            "surface": Surface.RESPONSES,
            "state": ResponseState.CANCELLED,
            "attempt": 0,
            "body": "",
            "body_digest": "",
            "estimated_tokens": 0,
            "accepted_at": now,
            "deadline": now,
            "wakes": 0,
        }
        try:
            async with transaction(self._engine) as connection:
                await connection.execute(insert(message).values(row))
                await connection.execute(delete(message).where(message.c.id == message_id))
        except DBAPIError as error:
            raise LedgerUnavailable("The ledger does not take a message.") from error
