"""Folding: what ends have appended becomes a part of figures, once, in the minute of each end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Dialect,
    Insert,
    Integer,
    bindparam,
    delete,
    func,
    literal_column,
    select,
)

from shared.persistence.bulk_parameters import IdList, RowDocument
from shared.persistence.columns import StoredColumns
from shared.persistence.engine import Database
from shared.persistence.statements import is_alone, reading, upsert
from shared.rollups.cubes import CUBES, Cube
from shared.rollups.tables import rollup_delta
from shared.rollups.tally import RollupKey, Sums, Tally

FOLDED_AT_ONCE: Final = 500
_READ_AT_ONCE: Final = 100
_BREADTH_AT_ONCE: Final = 150
_BYTES_AT_ONCE: Final = 1_000_000
"""Whoever ends a message on SQLite waits meanwhile, and on Postgres whoever this loop serves: to
read as many facts, or write the rows of as many names, takes some hundredths of a second."""
_GROUPS_AT_ONCE: Final = 200
_NOTHING: Final = literal_column("0", Integer)
_LOCK: Final = 8_245_196
"""Whoever folds has it until its commit."""
_ANY: Final = select(rollup_delta.c.id).order_by(rollup_delta.c.id).limit(1)
_NEXT: Final = (
    select(rollup_delta.c.id, rollup_delta.c.figures)
    .where(rollup_delta.c.id > bindparam("behind", type_=BigInteger))
    .order_by(rollup_delta.c.id)
    .limit(bindparam("most", type_=Integer))
)


class Folding:
    """Takes deltas out and adds them to the rows of their minute, hour and day in one transaction:
    whoever dies in it has done nothing, and two at once do it one after the other.

    Raises LedgerUnavailable.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        dialect = database.durable.dialect
        self._ids = IdList(dialect, BigInteger())
        # By their ids: on Postgres one of a lower id may be committed after those were read.
        self._take_out = delete(rollup_delta).where(self._ids.holds(rollup_delta.c.id))
        self._rows = [_CubeRows(cube, dialect) for cube in CUBES]

    async def fold(self) -> int:
        """Fold what is there, in two hundred transactions at most; how many deltas they were."""
        folded = 0
        for _ in range(_GROUPS_AT_ONCE):
            async with reading(self._database.relaxed) as connection:
                if await connection.scalar(_ANY) is None:
                    break  # most rounds of a quiet system, which take no lock then
            some = await self._database.commit(self._fold_some)
            folded += some
            if not some:
                break
        return folded

    def _fold_some(self, connection: Connection) -> int:
        if not is_alone(connection, _LOCK):
            return 0
        tally = Tally()
        taken = _tallied(connection, tally)
        connection.execute(self._take_out, self._ids.parameters(taken))
        cubes = tally.cubes
        for rows in self._rows:
            rows.add(connection, cubes[rows.cube.name])
        return len(taken)


def _tallied(connection: Connection, tally: Tally) -> list[int]:
    """The ids of the oldest, as many as are folded at once; what they hold is added."""
    taken: list[int] = []
    size = 0
    for number, figures in _oldest(connection):
        tally.add_figures(figures)
        taken.append(number)
        size += len(figures)
        is_wide = size >= _BYTES_AT_ONCE or tally.breadth >= _BREADTH_AT_ONCE
        if is_wide or len(taken) == FOLDED_AT_ONCE:
            break
    return taken


def _oldest(connection: Connection) -> Iterator[tuple[int, str]]:
    behind, some = 0, _READ_AT_ONCE
    while some == _READ_AT_ONCE:
        found = connection.execute(_NEXT, {"behind": behind, "most": _READ_AT_ONCE}).all()
        for behind, figures in found:
            yield behind, figures
        some = len(found)


class _CubeRows:
    """Adds sums to a cube's rows, and makes those that are not there."""

    def __init__(self, cube: Cube, dialect: Dialect) -> None:
        self.cube = cube
        columns = [*cube.table.columns]
        self._names = [column.name for column in columns]
        self._stored = StoredColumns(columns, dialect)
        self._document = RowDocument(columns, dialect)
        self._is_sqlite = dialect.name == "sqlite"
        self._upsert = self._adding()
        self._text = str(self._upsert.compile(dialect=dialect)) if self._is_sqlite else ""

    def add(self, connection: Connection, sums: Sums) -> None:
        """In the order of their keys, as everybody adds them."""
        rows = [_row(*each) for each in sorted(sums.items()) if any(each[1])]
        if not rows:
            return
        if self._is_sqlite:
            # It would look for each column in each row of a document; and SQLAlchemy would take
            # longer to look at so many values than SQLite takes for the rows.
            connection.exec_driver_sql(self._text, [tuple(self._stored.spelt(row)) for row in rows])
            return
        told = [self._told(row) for row in rows]
        connection.execute(self._upsert, self._document.parameters(told))

    def _told(self, row: list[Any]) -> dict[str, Any]:
        pairs = zip(self._names, row, strict=True)
        return {name: value for name, value in pairs if value is not None}

    def _adding(self) -> Insert:
        table = self.cube.table
        new = upsert(table, sqlite_dialect=self._is_sqlite)
        if not self._is_sqlite:
            new = new.from_select(self._names, self._document.query)
        added = {name: _sum(table.c[name], new.excluded[name]) for name in self.cube.sums}
        return new.on_conflict_do_update(index_elements=[*table.primary_key], set_=added)


def _row(key: RollupKey, amounts: list[int]) -> list[Any]:
    """The values of the table's columns; nothing is NULL."""
    starts_at = datetime.fromtimestamp(key.starts, UTC)
    sums = (amount or None for amount in amounts)
    return [key.seconds, key.tenant_id, starts_at, *key.names, *sums]


def _sum(one: ColumnElement[Any], other: ColumnElement[Any]) -> ColumnElement[Any]:
    # In the text: bound they would be three values more for each column of each row.
    both = func.coalesce(one, _NOTHING) + func.coalesce(other, _NOTHING)
    return func.nullif(both, _NOTHING)
