"""The caps that tenants have on a day's spending, remembered for a few seconds."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, NamedTuple

from shared.clock import Clock
from shared.persistence.tenants import TenantRepository
from shared.settings.door import LimitSettings

_REMEMBERED_SECONDS: Final = 10.0


class _KnownCap(NamedTuple):
    cap: Decimal | None
    until: float


class Caps:
    """A cap that was changed counts within ten seconds."""

    def __init__(self, tenants: TenantRepository, limits: LimitSettings, clock: Clock) -> None:
        self._tenants = tenants
        self._limits = limits
        self._clock = clock
        self._known: dict[str, _KnownCap] = {}

    async def of(self, tenant_id: str) -> Decimal | None:
        """US dollars a day, None without a cap; raises LedgerUnavailable."""
        now, known = self._clock.monotonic(), self._known.get(tenant_id)
        if known is None or known.until < now:
            plan = await self._tenants.plan_of(tenant_id)
            cap = plan.daily_budget if plan else self._limits.daily_budget
            known = self._known[tenant_id] = _KnownCap(cap, now + _REMEMBERED_SECONDS)
        return known.cap
