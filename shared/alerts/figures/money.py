"""What is spent of each budget, and what will be by the end of the day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from statistics import median
from typing import Final

from sqlalchemy import bindparam, func, select

from shared.alerts.deciding import FigureReading
from shared.alerts.figures.caps import DailyCap, daily_caps
from shared.alerts.machine import FigureValue
from shared.alerts.unit import FigureUnit
from shared.clock import Clock
from shared.persistence.engine import Database
from shared.persistence.statements import reading
from shared.rollups.cubes import Resolution
from shared.rollups.tables import EVERYBODY, rollup_attempt, rollup_door
from shared.settings import Settings

_NANOS: Final = Decimal(1_000_000_000)
_RATE_WINDOW: Final = timedelta(hours=3)
_STEP: Final = timedelta(minutes=15)
_STEPS: Final = round(_RATE_WINDOW / _STEP)
_RATE_SECONDS: Final = 300.0
"""How long rates are good for: reading them is by far the dearest of all figures."""
_DAY: Final = timedelta(days=1)
_EXHAUSTED: Final = "budget_exhausted"
"""Why doors refuse what the budget of a day is too little for."""
_REFUSED_WINDOW: Final = timedelta(minutes=15)
_REFUSED_SECONDS: Final = 60.0
"""So often it is asked whom they refused."""


class BudgetFigures:
    """Of every tenant that has a cap, and of all together where the settings have one for them.

    Read from what is folded, and only what it needs of it: thousands of tenants are a statement of
    two columns. All raise LedgerUnavailable.
    """

    def __init__(self, database: Database, settings: Settings, clock: Clock) -> None:
        self._database = database
        self._limits = settings.limits
        self._total = settings.alerts.daily_budget
        self._clock = clock
        self._rates: dict[str, float] = {}
        self._rates_at: float | None = None
        self._refused_tenants = frozenset[str]()
        self._refused_at: float | None = None

    async def share(self, _window_seconds: float) -> FigureReading:
        """Spent since midnight in UTC, as a share of the cap; all of it, at least, of whom a door
        refused for it just now."""
        caps, spent = await self._caps(), await self._spent()
        refused = await self._refused()
        return _shares(caps, spent, refused)

    async def forecast(self, _window_seconds: float) -> FigureReading:
        """What the day will have cost by its end, at the median rate of the last 3 hours."""
        caps, spent = await self._caps(), await self._spent()
        now = self._clock.now()
        left = (_midnight(now) + _DAY - now).total_seconds()
        rates = await self._known_rates(now)
        whole = {id_: nanos + rates.get(id_, 0.0) * left for id_, nanos in spent.items()}
        return _shares(caps, whole)

    async def _caps(self) -> dict[str, DailyCap]:
        caps = await daily_caps(self._database, self._limits)
        return caps | ({EVERYBODY: DailyCap("all tenants", self._total)} if self._total else {})

    async def _refused(self) -> frozenset[str]:
        """Tenants with too little left for a message. A door holds back what a message may cost at
        most: where that is much, what is spent never comes near the cap."""
        at = self._clock.monotonic()
        if self._refused_at is None or at - self._refused_at >= _REFUSED_SECONDS:
            now = self._clock.now()
            since = max(now - _REFUSED_WINDOW, _midnight(now))
            bounds = {"seconds": Resolution.MINUTE, "since": since, "reason": _EXHAUSTED}
            async with reading(self._database.relaxed) as connection:
                found = (await connection.execute(_REFUSED, bounds)).scalars()
                self._refused_tenants = frozenset(found)
            self._refused_at = at
        return self._refused_tenants

    async def _spent(self) -> dict[str, float]:
        """Billionths of a dollar by tenant."""
        today = _midnight(self._clock.now())
        async with reading(self._database.relaxed) as connection:
            rows = await connection.execute(_SPENT, {"seconds": Resolution.DAY, "since": today})
            return {row.tenant_id: float(row.nanos or 0) for row in rows}

    async def _known_rates(self, now: datetime) -> Mapping[str, float]:
        """Billionths of a dollar a second by tenant: the median of the last quarters of an hour."""
        at = self._clock.monotonic()
        if self._rates_at is None or at - self._rates_at >= _RATE_SECONDS:
            self._rates, self._rates_at = await self._read_rates(now), at
        return self._rates

    async def _read_rates(self, now: datetime) -> dict[str, float]:
        end = Resolution.MINUTE.floor(now)
        begin, steps = end - _RATE_WINDOW, dict[str, list[int]]()
        bounds = {"seconds": Resolution.MINUTE, "since": begin}
        async with reading(self._database.relaxed) as connection:
            rows = await connection.execute(_BY_MINUTE, bounds)
            for tenant_id, starts_at, nanos in rows:
                step = (starts_at - begin) // _STEP
                if nanos and step < _STEPS:
                    steps.setdefault(tenant_id, [0] * _STEPS)[step] += int(nanos)
        seconds = _STEP.total_seconds()
        return {id_: median(of_steps) / seconds for id_, of_steps in steps.items()}


def _shares(
    caps: Mapping[str, DailyCap],
    spent: Mapping[str, float],
    refused: frozenset[str] = frozenset(),
) -> FigureReading:
    """`refused` have no less than all of it."""
    return FigureReading(
        [
            FigureValue(
                {"tenant": id_},
                max(
                    # A cap below what is booked at all would be 0 here.
                    spent.get(id_, 0.0) / max(float(cap.dollars * _NANOS), 1.0),
                    1.0 if id_ in refused else 0.0,
                ),
                FigureUnit.SHARE,
                {"name": cap.name},
            )
            for id_, cap in caps.items()
        ],
        # Without a cap, or gone: nothing of it can be spent any more.
        absent=0.0,
        is_data=bool(caps),
    )


def _midnight(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


_SPENT: Final = (
    select(rollup_attempt.c.tenant_id, func.sum(rollup_attempt.c.cost_nanos).label("nanos"))
    .where(
        rollup_attempt.c.seconds == bindparam("seconds"),
        rollup_attempt.c.starts_at >= bindparam("since"),
    )
    .group_by(rollup_attempt.c.tenant_id)
)
_BY_MINUTE: Final = (
    select(
        rollup_attempt.c.tenant_id,
        rollup_attempt.c.starts_at,
        func.sum(rollup_attempt.c.cost_nanos),
    )
    .where(
        rollup_attempt.c.seconds == bindparam("seconds"),
        rollup_attempt.c.starts_at >= bindparam("since"),
    )
    .group_by(rollup_attempt.c.tenant_id, rollup_attempt.c.starts_at)
)
_REFUSED: Final = (
    select(rollup_door.c.tenant_id)
    .where(
        rollup_door.c.seconds == bindparam("seconds"),
        rollup_door.c.starts_at >= bindparam("since"),
        rollup_door.c.reason == bindparam("reason"),
        rollup_door.c.tenant_id != EVERYBODY,
    )
    .distinct()
)
