"""What conversations came to, for all who look."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Final

import msgspec

from shared.clock import Clock
from shared.outcomes.reading import OutcomeDimension, OutcomeFigures, Outcomes
from shared.views.tenant_names import TenantNames

KEPT_SECONDS: Final = 60.0
MOST_DAYS: Final = 90
_MOST_GROUPS: Final = 10


class OutcomeView(msgspec.Struct, frozen=True):
    """The largest groups of so many days, today included; tenants by their names."""

    days: int
    rows: list[OutcomeFigures]


class KeptOutcomes:
    """Reckons one view at a time, and each at most once a minute, whoever looks: it adds up all
    tenants of up to ninety days. Raises LedgerUnavailable.
    """

    def __init__(self, outcomes: Outcomes, names: TenantNames, clock: Clock) -> None:
        self._outcomes = outcomes
        self._names = names
        self._clock = clock
        self._kept: dict[tuple[OutcomeDimension, int], tuple[float, OutcomeView]] = {}
        self._one_at_a_time = asyncio.Lock()

    async def of(self, by: OutcomeDimension, days: int) -> OutcomeView:
        """The newest there is, a minute old at most."""
        async with self._one_at_a_time:
            now = self._clock.monotonic()
            kept = self._kept.get((by, days))
            if kept is not None and now - kept[0] < KEPT_SECONDS:
                return kept[1]
            view = await self._reckoned(by, days)
            self._kept[by, days] = (now, view)
            return view

    async def _reckoned(self, by: OutcomeDimension, days: int) -> OutcomeView:
        today = self._clock.now().date()
        first = today - timedelta(days=days - 1)
        rows = await self._outcomes.figures(first, today, by=by, most=_MOST_GROUPS)
        if by is OutcomeDimension.TENANT:
            names = await self._names.of(row.group for row in rows)
            rows = [
                msgspec.structs.replace(row, group=names.get(row.group, row.group)) for row in rows
            ]
        return OutcomeView(days, rows)
