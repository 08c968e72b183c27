"""How it goes right now, and what it costs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

import msgspec

from ingress.console.figures.spending import DaySpending, SpendingFigures, budget_of
from ingress.console.figures.traffic import TrafficFigures
from ingress.console.live.topic import Topic
from ingress.console.operation import ConsoleOperation
from shared.clock import Clock
from shared.messages.lane import Lane
from shared.persistence.engine import Database
from shared.persistence.ledger.lane_load import LaneLoad, LaneLoads
from shared.persistence.tenants import TenantRepository
from shared.rollups.reading import Dimension, RollupRow, Rollups, TimeSpan
from shared.status.system_state import StateFinding, SystemState
from shared.status.system_watch import SystemWatch

_HOUR: Final = timedelta(hours=1)
_HOURS: Final = 24
_MOST_MODELS: Final = 5


class CostLines(msgspec.Struct, frozen=True):
    """What each model cost in each of the last hours; `times` are seconds since 1970."""

    times: list[int]
    models: dict[str, list[Decimal]]


class DayFigures(msgspec.Struct, frozen=True):
    """Of today. `cap` is what all tenants that have a budget may spend; None where none has."""

    spending: DaySpending
    cap: Decimal | None
    costs: CostLines


class SystemView(msgspec.Struct, frozen=True):
    """In what state the system is, and why; without the moment, so that it is news of itself."""

    state: SystemState
    findings: list[StateFinding]


class OverviewScreen:
    """Figures of the whole system. Nothing here acts. Everything raises LedgerUnavailable."""

    def __init__(
        self, database: Database, clock: Clock, usual_budget: Decimal | None, watch: SystemWatch
    ) -> None:
        self._clock = clock
        self._watch = watch
        self._usual_budget = usual_budget
        self._loads = LaneLoads(database, clock)
        self._tenants = TenantRepository(database, clock)
        self._rollups = Rollups(database)
        self._spending = SpendingFigures(self._rollups, clock)
        self._traffic = TrafficFigures(self._rollups, clock)

    def operations(self) -> Sequence[ConsoleOperation]:
        return ()

    def topics(self) -> Sequence[Topic]:
        return (
            Topic("lane_loads", self._lane_loads),
            Topic("state", self._state, seconds=5.0),
            Topic("traffic", self._traffic.lately, seconds=5.0),
            Topic("hour", self._traffic.of_the_hour, seconds=15.0),
            Topic("day", self._day, seconds=30.0),
            Topic("behind", self._behind, seconds=5.0),
        )

    async def _state(self) -> SystemView:
        status = await self._watch.look()
        return SystemView(status.state, status.findings)

    async def _behind(self) -> int | None:
        """By how many seconds; None where figures hold all that has ended."""
        since = await self._rollups.missing_since()
        return None if since is None else max(0, round((self._clock.now() - since).total_seconds()))

    async def _lane_loads(self) -> dict[Lane, LaneLoad]:
        return await self._loads.lane_loads()

    async def _day(self) -> DayFigures:
        budgets = [
            budget
            for each in await self._tenants.all()
            if (budget := budget_of(each, self._usual_budget)) is not None
        ]
        cap = sum(budgets, Decimal(0)) if budgets else None
        return DayFigures(await self._spending.of_everybody(), cap, await self._costs())

    async def _costs(self) -> CostLines:
        end = self._clock.now().replace(minute=0, second=0, microsecond=0) + _HOUR
        begin = end - _HOUR * _HOURS
        rows = await self._rollups.series(TimeSpan(begin, end), _HOUR, by=(Dimension.MODEL,))
        times = [begin + _HOUR * place for place in range(_HOURS)]
        return CostLines([int(at.timestamp()) for at in times], _by_model(rows, times))


def _by_model(rows: Sequence[RollupRow], times: Sequence[datetime]) -> dict[str, list[Decimal]]:
    costs: dict[str, dict[datetime | None, Decimal]] = defaultdict(dict)
    for row in rows:
        if row.cost:
            costs[row.dims[Dimension.MODEL]][row.starts_at] = row.cost
    dearest = sorted(costs, key=lambda model: -sum(costs[model].values()))[:_MOST_MODELS]
    return {
        model: [costs[model].get(at, Decimal(0)) for at in times]
        for model in dearest[:_MOST_MODELS]
    }
