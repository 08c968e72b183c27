"""Money: of today, against what may be spent, and what the day will come to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

import msgspec

from ingress.console.figures.forecast import LOOKBACK, STEP, forecast
from shared.clock import Clock
from shared.messages.tenant import Tenant
from shared.rollups.reading import Dimension, RollupRow, Rollups, TimeSpan

_EVERYBODY: Final = ""


class DaySpending(msgspec.Struct, frozen=True, kw_only=True):
    """Of one day in UTC. `unknown` are attempts of which nobody knows what they cost."""

    spent: Decimal = Decimal(0)
    forecast: Decimal = Decimal(0)
    saved: Decimal = Decimal(0)
    unknown: int = 0
    messages: int = 0
    refused: dict[str, int] = {}


class SpendingFigures:
    """What was booked today; everything raises LedgerUnavailable."""

    def __init__(self, rollups: Rollups, clock: Clock) -> None:
        self._rollups = rollups
        self._clock = clock

    async def of_everybody(self) -> DaySpending:
        """All tenants together."""
        return (await self._today(())).get(_EVERYBODY, DaySpending())

    async def by_tenant(self) -> Mapping[str, DaySpending]:
        """Of those that have figures of today, by their ids."""
        return await self._today((Dimension.TENANT,))

    async def _today(self, by: Sequence[Dimension]) -> dict[str, DaySpending]:
        now = self._clock.now()
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        sums = await self._rollups.sums(TimeSpan(midnight, now + timedelta(minutes=1)), by=by)
        steps = await self._steps(by, now)
        return {
            name: _spending(row, steps.get(name, ()), now) for row in sums for name in [_of(row)]
        }

    async def _steps(self, by: Sequence[Dimension], now: datetime) -> dict[str, list[Decimal]]:
        span = TimeSpan(now - LOOKBACK, now)
        costs: dict[str, dict[datetime, Decimal]] = defaultdict(dict)
        for row in await self._rollups.series(span, STEP, by=by):
            if row.starts_at is not None and row.starts_at <= now - STEP:  # the last one goes on
                costs[_of(row)][row.starts_at] = row.cost
        return {name: _without_gaps(found) for name, found in costs.items()}


def budget_of(tenant: Tenant, usual: Decimal | None) -> Decimal | None:
    """What it may spend on a day; None where it has no cap."""
    return usual if tenant.plan is None else tenant.plan.daily_budget


def _of(row: RollupRow) -> str:
    return row.dims.get(Dimension.TENANT, _EVERYBODY)


def _spending(row: RollupRow, steps: Sequence[Decimal], now: datetime) -> DaySpending:
    return DaySpending(
        spent=row.cost,
        forecast=forecast(row.cost, steps, now),
        saved=row.saved,
        unknown=row.unknown,
        messages=row.messages,
        refused=row.refused,
    )


def _without_gaps(costs: Mapping[datetime, Decimal]) -> list[Decimal]:
    """From the first step that cost something on: one without figures cost nothing."""
    first, last = min(costs), max(costs)
    steps = round((last - first) / STEP) + 1
    return [costs.get(first + STEP * place, Decimal(0)) for place in range(steps)]
