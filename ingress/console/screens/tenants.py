"""The tenants, and what each may use."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ingress.api.http.exchange import Exchange
from ingress.api.http.query import known_query
from ingress.console.live.topic import Topic
from ingress.console.operation import ConsoleOperation
from shared.clock import Clock
from shared.messages.tenant import KeyScope, Plan
from shared.persistence.engine import Database
from shared.persistence.tenants import TenantRepository
from shared.sessions.console_user import ConsoleUser


class TenantRow(msgspec.Struct, frozen=True):
    """A tenant; without a plan of its own the settings' limits hold."""

    id: str
    name: str
    plan: Plan | None
    retention_days: int | None


class TenantPage(msgspec.Struct, frozen=True):
    """All of them, by name."""

    rows: list[TenantRow]
    next: str | None = None


class TenantsScreen:
    """Everything raises LedgerUnavailable."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._tenants = TenantRepository(database, clock)

    def operations(self) -> Sequence[ConsoleOperation]:
        return (ConsoleOperation("GET", "/tenants", self._all, KeyScope.READER),)

    def topics(self) -> Sequence[Topic]:
        return ()

    async def _all(self, exchange: Exchange, _user: ConsoleUser) -> TenantPage:
        known_query(exchange, ())
        found = await self._tenants.all()
        return TenantPage([TenantRow(t.id, t.name, t.plan, t.retention_days) for t in found])
