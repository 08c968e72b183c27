"""Whether a tenant may still spend, for work that nobody asked admission about."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import func, select

from shared.clock import Clock
from shared.persistence.engine import Database
from shared.persistence.statements import transaction
from shared.persistence.tables import attempt
from shared.persistence.tenants import TenantRepository
from shared.settings.door import LimitSettings


class Allowance:
    """Looks at the ledger; raises LedgerUnavailable."""

    def __init__(self, database: Database, limits: LimitSettings, clock: Clock) -> None:
        self._database = database
        self._tenants = TenantRepository(database, clock)
        self._limits = limits
        self._clock = clock

    async def is_spent(self, tenant_id: str) -> bool:
        """Whether what was booked today has reached the tenant's daily budget."""
        plan = await self._tenants.plan_of(tenant_id)
        cap = plan.daily_budget if plan else self._limits.daily_budget
        if cap is None:
            return False
        now = self._clock.now()
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        query = select(func.sum(attempt.c.cost)).where(
            attempt.c.tenant_id == tenant_id, attempt.c.booked_at >= midnight
        )
        async with transaction(self._database.relaxed) as connection:
            return Decimal(await connection.scalar(query) or 0) >= cap
