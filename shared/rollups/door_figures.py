"""What a door accepted and refused: counted in memory, appended to the figures every few seconds.

A door that is killed loses the last of these seconds; what it accepted is in the ledger.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from sqlalchemy import insert

from shared.errors import LedgerUnavailable
from shared.persistence.engine import Database
from shared.persistence.statements import transaction
from shared.resilience.periodic import repeat, running
from shared.rollups.cubes import DOORS
from shared.rollups.delta import Addition, Delta, encode_delta
from shared.rollups.tables import rollup_delta

DoorCounts = Counter[tuple[int, str, str, str]]
"""By the minute since 1970, tenant, lane, and the reason of a refusal; '' of what was accepted."""
_EVERY_SECONDS: Final = 3.0


class DoorFigures:
    """Appends what `counts` holds, and begins to count anew.

    While the ledger is away it goes on counting: each minute, tenant, lane and reason is one entry.
    """

    def __init__(self, database: Database) -> None:
        self._engine = database.relaxed
        self.counts = DoorCounts()

    @asynccontextmanager
    async def appended(self) -> AsyncIterator[None]:
        """Every few seconds while the context is open, and at its end."""
        try:
            async with running(repeat("door figures", self.append, every_seconds=_EVERY_SECONDS)):
                yield
        finally:
            with suppress(LedgerUnavailable):
                await self.append()

    async def append(self) -> None:
        """What was counted so far; raises LedgerUnavailable, and it is kept for the next time."""
        taken = self.counts.copy()
        if not taken:
            return
        # Whoever counts goes on in the same object meanwhile.
        self.counts.clear()
        figures = encode_delta(Delta(additions=tuple(map(_addition, taken, taken.values()))))
        try:
            async with transaction(self._engine) as connection:
                await connection.execute(insert(rollup_delta).values(figures=figures))
        except BaseException:
            self.counts.update(taken)
            raise


def _addition(named: tuple[int, str, str, str], count: int) -> Addition:
    minute, tenant_id, lane, reason = named
    sums = {"refused" if reason else "accepted": count}
    return Addition(DOORS.name, minute * 60, tenant_id, (lane, reason), sums)
