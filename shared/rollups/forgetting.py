"""Forgetting: figures of minutes, hours and days, each after a time of its own."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from sqlalchemy import Table, bindparam, delete, func, select

from shared.clock import Clock
from shared.persistence.engine import Database
from shared.persistence.statements import reading, transaction
from shared.rollups.cubes import CUBES, Resolution
from shared.settings.watching.rollups import RollupSettings

_STEPS: Final = 20
"""Minutes, hours or days of one table that a round forgets: more than pass between two rounds."""


class Forgetting:
    """Deletes whole minutes, hours or days, the oldest first, each in a transaction of its own: a
    row that is left has all that it ever had. Raises LedgerUnavailable.
    """

    def __init__(self, database: Database, settings: RollupSettings, clock: Clock) -> None:
        self._engine = database.relaxed
        self._clock = clock
        self._days = {
            Resolution.MINUTE: settings.minute_days,
            Resolution.HOUR: settings.hour_days,
            Resolution.DAY: settings.day_days,
        }

    async def forget_old(self) -> int:
        """Forget some of what is older than it is kept; how many rows they were."""
        return sum(
            [
                await self._forget(cube.table, resolution)
                for cube in CUBES
                for resolution in Resolution
            ]
        )

    async def _forget(self, table: Table, resolution: Resolution) -> int:
        kept_since = Resolution.DAY.floor(
            self._clock.now() - timedelta(days=self._days[resolution])
        )
        oldest, of_one, gone = _OLDEST[table.name], _OF_ONE[table.name], 0
        for _ in range(_STEPS):
            async with reading(self._engine) as connection:
                starts_at = await connection.scalar(oldest, {"seconds": int(resolution)})
            if starts_at is None or starts_at >= kept_since:
                break
            async with transaction(self._engine) as connection:
                named = {"b_seconds": int(resolution), "b_starts_at": starts_at}
                gone += (await connection.execute(of_one, named)).rowcount
        return gone


_OLDEST: Final = {
    cube.table.name: select(func.min(cube.table.c.starts_at)).where(
        cube.table.c.seconds == bindparam("seconds")
    )
    for cube in CUBES
}
_OF_ONE: Final = {
    cube.table.name: delete(cube.table).where(
        cube.table.c.seconds == bindparam("b_seconds"),
        cube.table.c.starts_at == bindparam("b_starts_at"),
    )
    for cube in CUBES
}
