"""Whether an alert fires that somebody has to look at now."""

from __future__ import annotations

from shared.alerts.catalogue import AlertCatalogue
from shared.alerts.state import AlertState
from shared.clock import Clock
from shared.persistence.engine import Database
from shared.settings.watching.alert_rules import AlertSeverity
from shared.status.system_state import StateFinding, degraded


class CriticalAlerts:
    """Reads the alerts that fire; raises LedgerUnavailable."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._alerts = AlertCatalogue(database, clock)

    async def findings(self) -> list[StateFinding]:
        return [
            degraded(f"alert {each.rule}", f"{each.summary} See: forebay alerts list")
            for each in await self._alerts.active()
            if each.state is AlertState.FIRING and each.severity is AlertSeverity.CRITICAL
        ]
