"""What turns are charged while they run, so that a call that was said to be short is noticed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.clock import Clock
from shared.persistence.flow_tables import charge
from shared.persistence.ledger.records import TurnTab
from shared.persistence.statements import transaction

SHORTEST_SECONDS: Final = 3.0
"""A turn that ends sooner is charged at its end alone."""
UNITS_PER_SECOND: Final = 120.0
"""Of a model that says 30 tokens a second. What a call costs is known when it has ended; until
then it is charged by its time, which is what it takes of others."""


class RunningCharges:
    """Appends a row for each turn; raises LedgerUnavailable."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    async def charge(self, tabs: Sequence[TurnTab], now: float) -> None:
        """What each has used by its time and was not charged, if it runs for some seconds."""
        rows = [
            row for tab in tabs if not tab.is_closed and (row := self._row_of(tab, now)) is not None
        ]
        if rows:
            async with transaction(self._engine) as connection:
                await connection.execute(insert(charge), rows)

    def _row_of(self, tab: TurnTab, now: float) -> dict[str, Any] | None:
        seconds = now - (now if tab.began is None else tab.began)
        units = UNITS_PER_SECOND * seconds - tab.charged
        if seconds < SHORTEST_SECONDS or units <= 0:
            return None
        # Put on the tab first: a turn that ends meanwhile is charged the rest alone.
        tab.charged += units
        tab.times += 1
        record = tab.record
        return {
            "message_id": record.id,
            "claim": record.attempt,
            "ordinal": tab.times,
            "tenant_id": record.tenant_id,
            "lane": record.lane,
            "units": units,
            "charged_at": self._clock.now(),
        }
