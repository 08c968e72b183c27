"""The statements of outcomes, and how to run them on a full ledger."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from shared.clock import Clock
from shared.outcomes.closing import OutcomeRound
from shared.outcomes.reading import OutcomeDimension, Outcomes
from shared.persistence.engine import Database
from shared.settings.servers import LedgerSettings
from shared.telemetry.metrics import Metrics

OutcomeProbe = Callable[[Database, Clock], Awaitable[object]]


async def _close(database: Database, clock: Clock) -> object:
    return await OutcomeRound(database, LedgerSettings(), Metrics(), clock, version="1")()


async def _read(database: Database, clock: Clock) -> object:
    today = clock.now().date()
    return await Outcomes(database).figures(today, today, by=OutcomeDimension.VARIANT)


OUTCOME_PROBES: Final[dict[str, OutcomeProbe]] = {
    "OutcomeRound.__call__": _close,
    "Outcomes.figures": _read,
}
PARTS_OF_OUTCOMES: Final = {
    f"{name}": "OutcomeRound.__call__"
    for name in (
        *(f"LedgerTurns.{each}" for each in ("ended", "named", "conversation", "costs")),
        *(f"LedgerTurns.{each}" for each in ("handed_off", "said")),
        *(f"OutcomeKeeping.{each}" for each in ("keep", "forget", "place", "go_on")),
    )
}
