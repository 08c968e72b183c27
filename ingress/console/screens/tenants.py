"""The tenants, and what each may use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Final

import msgspec

from ingress.api.http.exchange import Exchange
from ingress.console.figures.spending import DaySpending, SpendingFigures, budget_of
from ingress.console.listing import read_query
from ingress.console.live.topic import Topic
from ingress.console.operation import ConsoleOperation
from shared.clock import Clock
from shared.messages.tenant import KeyScope, Plan, Tenant
from shared.persistence.engine import Database
from shared.persistence.tenants import TenantRepository
from shared.rollups.reading import Dimension, Rollups, TimeSpan
from shared.sessions.console_user import ConsoleUser

_HOUR: Final = timedelta(hours=1)


class TenantSearch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of the name."""

    name: str = ""


class TenantRow(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant, and its day (UTC) so far; without a plan of its own the settings' limits hold.

    `budget` is what it may spend on a day, None where it has no cap; `slots` the share of the time
    that all turns of the last hour took, which its own did.
    """

    id: str
    name: str
    plan: Plan | None
    retention_days: int | None
    budget: Decimal | None
    day: DaySpending
    slots: float | None


class TenantPage(msgspec.Struct, frozen=True):
    """By name; `next` is the name that the following page begins behind."""

    rows: list[TenantRow]
    next: str | None


class TenantsScreen:
    """Everything raises LedgerUnavailable."""

    def __init__(self, database: Database, clock: Clock, usual_budget: Decimal | None) -> None:
        self._clock = clock
        self._usual_budget = usual_budget
        self._tenants = TenantRepository(database, clock)
        self._rollups = Rollups(database)
        self._spending = SpendingFigures(self._rollups, clock)

    def operations(self) -> Sequence[ConsoleOperation]:
        return (ConsoleOperation("GET", "/tenants", self._page, KeyScope.READER),)

    def topics(self) -> Sequence[Topic]:
        return ()

    async def _page(self, exchange: Exchange, _user: ConsoleUser) -> TenantPage:
        search, asked = read_query(exchange, TenantSearch)
        limit, behind, name = asked.limit, asked.before or "", search.name.casefold()
        wanted = [
            each
            for each in sorted(await self._tenants.all(), key=lambda each: each.name)
            if each.name > behind and name in each.name.casefold()
        ]
        shown, days, shares = wanted[:limit], await self._spending.by_tenant(), await self._shares()
        rows = [self._row(each, days.get(each.id, DaySpending()), shares) for each in shown]
        return TenantPage(rows, shown[-1].name if len(wanted) > limit else None)

    def _row(self, tenant: Tenant, day: DaySpending, shares: Mapping[str, float]) -> TenantRow:
        return TenantRow(
            id=tenant.id,
            name=tenant.name,
            plan=tenant.plan,
            retention_days=tenant.retention_days,
            budget=budget_of(tenant, self._usual_budget),
            day=day,
            slots=shares.get(tenant.id),
        )

    async def _shares(self) -> dict[str, float]:
        now = self._clock.now()
        span = TimeSpan(now - _HOUR, now + timedelta(minutes=1))
        rows = await self._rollups.sums(span, by=(Dimension.TENANT,))
        worked = {
            row.dims[Dimension.TENANT]: max(0.0, row.latency.seconds - row.wait.seconds)
            for row in rows
        }
        whole = sum(worked.values())
        return {name: seconds / whole for name, seconds in worked.items()} if whole else {}
