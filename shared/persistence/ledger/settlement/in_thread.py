"""SQLite: a group of settlements with all of their parts, in one transaction of its thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from functools import partial
from operator import attrgetter, itemgetter
from typing import Any, Final, NamedTuple

from sqlalchemy import Dialect

from shared.messages.record import SETTLED_FIELDS
from shared.messages.state import ResponseState
from shared.persistence.columns import StoredColumns
from shared.persistence.ledger.records import Settlement
from shared.persistence.ledger.settlement.figures_in_thread import (
    Fact,
    FiguresInThread,
    attempt_fact,
)
from shared.persistence.ledger.settlement.parts import (
    ATTEMPTS,
    BOOKED_COLUMNS,
    PARTS,
    Key,
    SettlementPart,
)
from shared.persistence.prepared.sqlite_thread import NewRows, SqliteWriter
from shared.persistence.tables import message

_end = attrgetter(*SETTLED_FIELDS, "message_id", "attempt")
_key = attrgetter("message_id", "attempt")
_booked_key = itemgetter(*map(BOOKED_COLUMNS.index, ("message_id", "claim", "ordinal")))
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
        ends = {_key(item): _SpeltEnd(item, self._ends.spelt(_end(item))) for item in settlements}
        parts = [
            _part_rows(part, inserting, rows)
            for part, inserting in self._parts
            if (rows := part.rows(settlements))
        ]
        return await self._writer.commit(partial(_write, ends, parts, self._figures))


class _SpeltEnd(NamedTuple):
    """How a message ends, and the same as the driver takes it."""

    settlement: Settlement
    spelt: list[Any]


class _PartRows(NamedTuple):
    """What a group has for a part, as the driver takes it, each with its message and attempt."""

    part: SettlementPart
    inserting: NewRows
    keys: list[Key]
    rows: list[list[Any]]
    facts: list[Fact]
    """What is told of each in figures; of a part that is paid for alone."""

    def insert(self, connection: sqlite3.Connection, ended: set[Key], *, are_all: bool) -> None:
        """But for those that are there, and for those whose message was not ended."""
        rows = self.rows
        if self.part.is_fenced and not are_all:
            rows = [row for key, row in zip(self.keys, rows, strict=True) if key in ended]
        self.inserting.insert(connection, rows)

    def pay(self, connection: sqlite3.Connection) -> list[Fact]:
        """The facts of rows that were not there."""
        new = self.inserting.insert(connection, self.rows)
        if new == len(self.rows):
            return self.facts
        keys = {_booked_key(row) for row in self.inserting.newest(connection, new)}
        pairs = zip(self.rows, self.facts, strict=True)
        return [fact for row, fact in pairs if _booked_key(row) in keys]


def _part_rows(
    part: SettlementPart, inserting: NewRows, rows: Sequence[tuple[Any, ...]]
) -> _PartRows:
    spelt = [inserting.spelt(row[:-1]) for row in rows]  # the fence is no column
    facts = [*map(attempt_fact, rows)] if part.name == ATTEMPTS else []
    return _PartRows(part, inserting, [*map(part.key_of, rows)], spelt, facts)


def _write(
    ends: Mapping[Key, _SpeltEnd],
    parts: Sequence[_PartRows],
    figures: FiguresInThread,
    connection: sqlite3.Connection,
) -> set[Key]:
    ended = {key for key, end in ends.items() if connection.execute(_END, end.spelt).rowcount}
    paid: list[Fact] = []
    for part in parts:
        if part.part.name == ATTEMPTS:
            paid += part.pay(connection)
        else:
            part.insert(connection, ended, are_all=len(ended) == len(ends))
    figures.append(connection, [ends[key].settlement for key in ended], paid)
    return ended
