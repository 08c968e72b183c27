"""Settle: the end of a turn, written once, durable, in groups, under the fence."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from shared.persistence.bulk_parameters import IdList
from shared.persistence.columns import StoredColumns
from shared.persistence.engine import Database
from shared.persistence.ledger.records import Settlement
from shared.persistence.ledger.settlement.end_events import Subscribers, event_part
from shared.persistence.ledger.settlement.in_thread import InThread
from shared.persistence.ledger.settlement.one_statement import OneStatement
from shared.persistence.ledger.settlement.parts import PARTS, Key
from shared.persistence.prepared.constant_text import ConstantText
from shared.persistence.tables import message


class SettleGroup:
    """Writes a group of settlements in one transaction: all of each, or nothing of any.

    `subscribers` are told of their ends by webhook.
    """

    def __init__(self, database: Database, subscribers: Subscribers | None = None) -> None:
        self._road, dialect = database.roads.reading, database.durable.dialect
        self._settling = _settling(database, subscribers or Subscribers(database))
        self._ids = IdList(dialect)
        ends = (message.c.id, message.c.attempt, message.c.state, message.c.finished_at)
        self._look = ConstantText(select(*ends).where(self._ids.holds(message.c.id)), dialect)
        self._ends = StoredColumns(ends, dialect)

    async def flush(self, settlements: list[Settlement]) -> Sequence[bool | BaseException]:
        """True for each that was written; False where the fence had moved on or someone was first.

        Attempts are kept either way: they were paid for. Raises LedgerUnavailable for the group.
        """
        try:
            written = await self._settling.write(settlements)
            if len(written) < len(settlements):
                written |= await self._written_before(settlements)
        except DBAPIError as error:
            if len(settlements) == 1:
                return [error]
            return [(await self.flush([item]))[0] for item in settlements]
        return [(item.message_id, item.attempt) in written for item in settlements]

    async def _written_before(self, settlements: Sequence[Settlement]) -> set[Key]:
        # Where the database's answer to a commit was lost, the same settlement is written again.
        # One claim has one attempt number, so a row in the state and at the moment that this
        # settlement names was written by it, with all of its parts.
        ids = self._ids.parameters([item.message_id for item in settlements])
        rows = await self._road.rows(self._look.text, self._look.values(ids))
        ends = {tuple(row) for row in self._ends.readable(rows)}
        return {
            (item.message_id, item.attempt)
            for item in settlements
            if (item.message_id, item.attempt, item.state, item.finished_at) in ends
        }


def _settling(database: Database, subscribers: Subscribers) -> OneStatement | InThread:
    roads, dialect = database.roads, database.durable.dialect
    parts = (*PARTS, event_part(subscribers))
    if roads.writer is None:
        return OneStatement(roads.durable, dialect, parts)
    return InThread(roads.writer, dialect, parts)
