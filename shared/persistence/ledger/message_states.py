"""How many messages stand, in one look: for those who wait for news of one of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import select

from shared.messages.state import ResponseState
from shared.persistence.bulk_parameters import IdList
from shared.persistence.engine import Database
from shared.persistence.statements import readable, reading
from shared.persistence.tables import message


class Standing(NamedTuple):
    """What tells whether anything has happened to a message."""

    state: ResponseState
    attempt: int


class MessageStates:
    """Reads no more of a message than its state; raises LedgerUnavailable."""

    def __init__(self, database: Database) -> None:
        self._engine = database.relaxed
        self._ids = IdList(database.relaxed.dialect)
        self._query = select(message.c.id, message.c.state, message.c.attempt).where(
            self._ids.holds(message.c.id)
        )

    async def of(self, message_ids: Sequence[str]) -> dict[str, Standing]:
        """Each message that there is."""
        async with reading(self._engine) as connection:
            rows = await connection.execute(self._query, self._ids.parameters(message_ids))
            return {row.id: Standing(row.state, row.attempt) for row in readable(rows)}
