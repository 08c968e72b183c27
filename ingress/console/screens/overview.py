"""How it goes right now."""

from __future__ import annotations

from collections.abc import Sequence

from ingress.console.live.topic import Topic
from ingress.console.operation import ConsoleOperation
from shared.clock import Clock
from shared.messages.lane import Lane
from shared.persistence.engine import Database
from shared.persistence.ledger.lane_load import LaneLoad, LaneLoads


class OverviewScreen:
    """Figures of the whole system. Nothing here acts."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._loads = LaneLoads(database, clock)

    def operations(self) -> Sequence[ConsoleOperation]:
        return ()

    def topics(self) -> Sequence[Topic]:
        return (Topic("lane_loads", self._lane_loads),)

    async def _lane_loads(self) -> dict[Lane, LaneLoad]:
        return await self._loads.lane_loads()
