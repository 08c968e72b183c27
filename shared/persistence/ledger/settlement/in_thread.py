"""SQLite: a group of settlements with all of their parts, in one transaction of its thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from functools import partial
from operator import attrgetter
from typing import Any, Final, NamedTuple

from sqlalchemy import Dialect

from shared.messages.record import SETTLED_FIELDS
from shared.messages.state import ResponseState
from shared.persistence.columns import StoredColumns
from shared.persistence.ledger.records import Settlement
from shared.persistence.ledger.settlement.figures_in_thread import FiguresInThread
from shared.persistence.ledger.settlement.parts import ATTEMPTS, PARTS, Key, SettlementPart
from shared.persistence.prepared.sqlite_thread import NewRows, SqliteWriter
from shared.persistence.tables import message

_end = attrgetter(*SETTLED_FIELDS, "message_id", "attempt")
_key = attrgetter("message_id", "attempt")
_END: Final = (
    f"UPDATE message SET {', '.join(f'{name} = ?' for name in SETTLED_FIELDS)},"  # noqa: S608 - ours
    " lease_until = NULL, wake_at = NULL"
    f" WHERE id = ? AND attempt = ? AND state = '{ResponseState.IN_PROGRESS}'"
)


class InThread:
    """Ends messages and writes what comes with their ends, all or nothing."""

    def __init__(
        self, writer: SqliteWriter, dialect: Dialect, parts: Sequence[SettlementPart] = PARTS
    ) -> None:
        self._writer = writer
        columns = [message.c[name] for name in (*SETTLED_FIELDS, "id", "attempt")]
        self._ends = StoredColumns(columns, dialect)
        self._figures = FiguresInThread(dialect)
        self._parts = [(part, NewRows(part.table, part.columns, dialect)) for part in parts]

    async def write(self, settlements: Sequence[Settlement]) -> set[Key]:
        """The messages that were ended, with their attempts.

        Raises LedgerUnavailable, and DBAPIError for a value that the database refuses.
        """
        ends = {_key(item): self._ends.spelt(_end(item)) for item in settlements}
        parts = [
            _PartRows(part, inserting, [*map(part.key_of, rows)], _spelt(inserting, rows))
            for part, inserting in self._parts
            if (rows := part.rows(settlements))
        ]
        return await self._writer.commit(partial(_write, ends, parts, self._figures))


class _PartRows(NamedTuple):
    """What a group has for a part, as the driver takes it, each with its message and attempt."""

    part: SettlementPart
    inserting: NewRows
    keys: list[Key]
    rows: list[list[Any]]

    def insert(
        self, connection: sqlite3.Connection, ended: set[Key], *, are_all: bool
    ) -> list[list[Any]]:
        """The rows of a part that is paid for which were not there; of others it tells nothing."""
        rows = self.rows
        if self.part.is_fenced and not are_all:
            rows = [row for key, row in zip(self.keys, rows, strict=True) if key in ended]
        if self.part.name == ATTEMPTS:
            new = self.inserting.insert_each(connection, rows)
            return [row for row, is_new in zip(rows, new, strict=True) if is_new]
        self.inserting.insert(connection, rows)
        return []


def _spelt(inserting: NewRows, rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    return [inserting.spelt(row[:-1]) for row in rows]  # the fence is no column


def _write(
    ends: Mapping[Key, list[Any]],
    parts: Sequence[_PartRows],
    figures: FiguresInThread,
    connection: sqlite3.Connection,
) -> set[Key]:
    ended = {key for key, end in ends.items() if connection.execute(_END, end).rowcount}
    booked: list[list[Any]] = []
    for part in parts:
        booked += part.insert(connection, ended, are_all=len(ended) == len(ends))
    figures.append(connection, [message_id for message_id, _ in ended], booked)
    return ended
