"""Report risk: what a user made the model say shrinks what it may send next."""

from __future__ import annotations

from shared.reservations.reservations import Reservations
from workers.turn import Turn


class ReportRisk:
    """Runs after the reply. Without Redis nothing is held against anybody."""

    name = "report_risk"

    def __init__(self, reservations: Reservations) -> None:
        self._reservations = reservations

    async def __call__(self, turn: Turn) -> None:
        for signal in sorted(turn.risk_signals):
            await self._reservations.report(turn.record.tenant_id, turn.record.user_id, signal)
