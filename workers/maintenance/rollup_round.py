"""The round of whoever keeps figures: fold what has ended, forget what is old."""

from __future__ import annotations

from shared.clock import Clock
from shared.persistence.engine import Database
from shared.rollups.folding import Folding
from shared.rollups.forgetting import Forgetting
from shared.settings.watching.rollups import RollupSettings


class RollupRound:
    """One round of each; raises LedgerUnavailable."""

    def __init__(self, database: Database, settings: RollupSettings, clock: Clock) -> None:
        self._folding = Folding(database)
        self._forgetting = Forgetting(database, settings, clock)

    async def __call__(self) -> None:
        await self._folding.fold()
        await self._forgetting.forget_old()
