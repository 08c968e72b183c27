"""Folding: what ends have appended becomes a part of figures, once, in the minute of each end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Dialect, Insert, Integer, bindparam, delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.persistence.bulk_parameters import RowDocument
from shared.persistence.engine import Database
from shared.persistence.statements import is_alone, reading, transaction, upsert
from shared.rollups.cubes import CUBES, Cube, Dimension
from shared.rollups.tables import rollup_delta
from shared.rollups.tally import RollupKey, Sums, tally_of

FOLDED_AT_ONCE: Final = 500
_ON_SQLITE: Final = 50
"""Whoever ends a message waits for its one writer: of ten thousand tenants 500 deltas took 5 s."""
_GROUPS_AT_ONCE: Final = 100
_LOCK: Final = 8_245_196
"""Whoever folds has it until its commit."""
_TAKEN: Final = (
    select(rollup_delta.c.id).order_by(rollup_delta.c.id).limit(bindparam("most", type_=Integer))
)
_TAKE: Final = (
    delete(rollup_delta).where(rollup_delta.c.id.in_(_TAKEN)).returning(rollup_delta.c.figures)
)


class Folding:
    """Takes deltas out and adds them to the rows of their minute, hour and day in one transaction:
    whoever dies in it has done nothing, and two at once do it one after the other.

    Raises LedgerUnavailable.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._most = _ON_SQLITE if database.is_sqlite else FOLDED_AT_ONCE
        self._rows = [_CubeRows(cube, database.durable.dialect) for cube in CUBES]

    async def fold(self) -> int:
        """Fold what is there, in a hundred transactions at most; how many deltas they were."""
        folded = 0
        for _ in range(_GROUPS_AT_ONCE):
            async with reading(self._database.relaxed) as connection:
                if await connection.scalar(_TAKEN, {"most": 1}) is None:
                    break  # most rounds of a quiet system, which take no lock then
            some = await self._fold_some()
            folded += some
            if some < self._most:
                break
        return folded

    async def _fold_some(self) -> int:
        async with transaction(self._database.durable) as connection:
            if not await is_alone(connection, _LOCK):
                return 0
            taken = (await connection.scalars(_TAKE, {"most": self._most})).all()
            tally = tally_of(taken)
            for rows in self._rows:
                await rows.add(connection, tally.cubes[rows.cube.name])
        return len(taken)


class _CubeRows:
    """Adds sums to a cube's rows, and makes those that are not there."""

    def __init__(self, cube: Cube, dialect: Dialect) -> None:
        self.cube = cube
        self._names = (Dimension.TENANT.value, *(name.value for name in cube.dimensions))
        self._columns = [column.name for column in cube.table.columns]
        self._document = RowDocument([*cube.table.columns], dialect)
        self._is_sqlite = dialect.name == "sqlite"
        self._upsert = self._adding()

    async def add(self, connection: AsyncConnection, sums: Sums) -> None:
        """In the order of their keys, as everybody adds them."""
        rows = [*self._told(sums)]
        if not rows:
            return
        if self._is_sqlite:
            # It would look for each column in each row of a document.
            await connection.execute(self._upsert, rows)
            return
        await connection.execute(self._upsert, self._document.parameters(rows))

    def _told(self, sums: Sums) -> Iterator[dict[str, Any]]:
        for key, amounts in sorted(sums.items()):
            if any(amounts):
                yield self._row(key, amounts)

    def _row(self, key: RollupKey, amounts: list[int]) -> dict[str, Any]:
        row: dict[str, Any] = {
            "seconds": key.seconds,
            "starts_at": datetime.fromtimestamp(key.starts, UTC),
            Dimension.TENANT.value: key.tenant_id,
        }
        row |= zip((name.value for name in self.cube.dimensions), key.names, strict=True)
        row |= zip(self.cube.sums, (amount or None for amount in amounts), strict=True)
        return row

    def _adding(self) -> Insert:
        table = self.cube.table
        new = upsert(table, sqlite_dialect=self._is_sqlite)
        if not self._is_sqlite:
            new = new.from_select(self._columns, self._document.query)
        added = {
            name: func.nullif(
                func.coalesce(table.c[name], 0) + func.coalesce(new.excluded[name], 0), 0
            )
            for name in self.cube.sums
        }
        return new.on_conflict_do_update(index_elements=[*table.primary_key], set_=added)
