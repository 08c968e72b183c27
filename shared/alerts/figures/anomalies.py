"""What is not as it was at this hour of the last days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from statistics import median
from typing import Final

from sqlalchemy import Column, Select, bindparam, func, select

from shared.alerts.deciding import FigureReading
from shared.alerts.machine import FigureValue
from shared.alerts.unit import FigureUnit
from shared.clock import Clock
from shared.persistence.engine import Database
from shared.persistence.statements import reading
from shared.rollups.cubes import Resolution
from shared.rollups.tables import EVERYBODY, rollup_attempt, rollup_turn

_DAYS: Final = 14
_FEWEST_DAYS: Final = 3
_HOUR: Final = timedelta(hours=1)
_LEAST_SHARE: Final = 0.05
"""Where days are as good as alike, this part of their median counts as their deviation."""
_LEAST: Final = {"cost": 10_000_000.0, "messages": 5.0}
"""And this at least: a cent, five messages."""


class AnomalyFigures:
    """How far the last hour, and what there is of this one, lie from the same hour of the last 14
    days: in median absolute deviations, and unknown with fewer than 3 such days.

    This hour counts once it is above what is usual. The days are read once an hour. Raises
    LedgerUnavailable.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._usual: dict[str, dict[datetime, dict[str, list[float]]]] = {}

    async def cost(self, _window_seconds: float) -> FigureReading:
        """Of what each tenant spends, and all together."""
        return await self._deviations("cost", _COST)

    async def messages(self, _window_seconds: float) -> FigureReading:
        """Of how many messages end."""
        return await self._deviations("messages", _MESSAGES)

    async def _deviations(self, what: str, query: Select[str, datetime, int]) -> FigureReading:
        begun = Resolution.HOUR.floor(self._clock.now())
        ended = begun - _HOUR
        usual = {hour: await self._of_days(what, query, hour) for hour in (ended, begun)}
        seen = await self._read(query, [ended, begun])
        found = dict[str, float]()
        for tenant_id, days in usual[ended].items():
            if len(days) >= _FEWEST_DAYS:
                found[tenant_id] = abs(_deviation(seen, tenant_id, ended, days, _LEAST[what]))
        for tenant_id, days in usual[begun].items():
            if len(days) >= _FEWEST_DAYS:
                above = _deviation(seen, tenant_id, begun, days, _LEAST[what])
                found[tenant_id] = max(found.get(tenant_id, 0.0), above)
        return FigureReading(
            [FigureValue({"tenant": id_}, value, FigureUnit.TIMES) for id_, value in found.items()]
        )

    async def _of_days(
        self, what: str, query: Select[str, datetime, int], hour: datetime
    ) -> Mapping[str, list[float]]:
        """What this hour of the days before had, by tenant; of days that had anything."""
        kept = self._usual.setdefault(what, {})
        if hour not in kept:
            hours = [hour - timedelta(days=day) for day in range(1, _DAYS + 1)]
            days = dict[str, list[float]]()
            for (tenant_id, _), value in (await self._read(query, hours)).items():
                days.setdefault(tenant_id, []).append(value)
            self._usual[what] = {
                at: found for at, found in kept.items() if abs(at - hour) <= _HOUR
            } | {hour: days}
        return self._usual[what][hour]

    async def _read(
        self, query: Select[str, datetime, int], hours: Sequence[datetime]
    ) -> dict[tuple[str, datetime], float]:
        bounds = {"seconds": Resolution.HOUR, "hours": hours}
        async with reading(self._database.relaxed) as connection:
            rows = await connection.execute(query, bounds)
            return {(row.tenant_id, row.starts_at): float(row.number or 0) for row in rows}


def _deviation(
    seen: Mapping[tuple[str, datetime], float],
    tenant_id: str,
    hour: datetime,
    days: Sequence[float],
    least: float,
) -> float:
    middle = median(days)
    spread = median(abs(value - middle) for value in days)
    spread = max(spread, _LEAST_SHARE * middle, least)
    return (seen.get((tenant_id, hour), 0.0) - middle) / spread


def _of_hours(
    tenants: Column[str], starts_at: Column[datetime], of: Column[int]
) -> Select[str, datetime, int]:
    return (
        select(tenants, starts_at, func.sum(of).label("number"))
        .where(
            tenants.table.c.seconds == bindparam("seconds"),
            starts_at.in_(bindparam("hours", expanding=True)),
        )
        .group_by(tenants, starts_at)
    )


_COST: Final = _of_hours(
    rollup_attempt.c.tenant_id, rollup_attempt.c.starts_at, rollup_attempt.c.cost_nanos
)
_MESSAGES: Final = _of_hours(
    rollup_turn.c.tenant_id, rollup_turn.c.starts_at, rollup_turn.c.messages
).where(rollup_turn.c.tenant_id == EVERYBODY)
