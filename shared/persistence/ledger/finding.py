"""Finds: whoever asks for a message while others ask too is answered with them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from shared.errors import LedgerUnavailable
from shared.messages.record import MessageRecord
from shared.persistence.bulk_parameters import IdList
from shared.persistence.engine import Database
from shared.persistence.statements import RECORD_COLUMNS, reading, record_of
from shared.persistence.tables import message
from shared.storable_text import is_storable


class Sought(NamedTuple):
    """A message by its id, of one tenant or of anybody."""

    message_id: str
    tenant_id: str | None


class FindGroup:
    """Reads a group of messages in one statement."""

    def __init__(self, database: Database) -> None:
        self._engine = database.relaxed
        self._timeout_seconds = database.timeout_seconds
        self._wanted = IdList(database.relaxed.dialect)
        self._query = select(*RECORD_COLUMNS).where(self._wanted.holds(message.c.id))

    async def flush(self, sought: list[Sought]) -> Sequence[MessageRecord | BaseException | None]:
        """What there is of each, in order; raises LedgerUnavailable for all of them.

        A row that cannot be read is an error for those alone who asked for it.
        """
        # What was never accepted cannot be in the ledger, and no database takes it as a value.
        ids = {each.message_id for each in sought if is_storable(each.message_id)}
        try:
            found = await self._read([*ids])
        except (DBAPIError, ValueError, TypeError) as error:
            if len(sought) == 1:
                return [error]
            return [(await self.flush([each]))[0] for each in sought]
        return [_seen_by(each, found.get(each.message_id)) for each in sought]

    async def _read(self, ids: list[str]) -> dict[str, MessageRecord]:
        try:
            # The group is nobody's own: a server that went away without a word must not keep it.
            async with (
                asyncio.timeout(self._timeout_seconds),
                reading(self._engine) as connection,
            ):
                rows = await connection.execute(self._query, self._wanted.parameters(ids))
                return {row.id: record_of(row) for row in rows}
        except TimeoutError as error:
            raise LedgerUnavailable(
                "The ledger does not answer.", retry_after_seconds=1.0
            ) from error


def _seen_by(sought: Sought, record: MessageRecord | None) -> MessageRecord | None:
    if record is None or sought.tenant_id in (None, record.tenant_id):
        return record
    return None
