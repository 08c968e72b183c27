"""The limits of each tenant: those of its own plan, or of the settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ingress.admission.limits import Limits, limits_of, plan_of_settings
from ingress.admission.verdict import RefusalReason
from shared.messages.tenant import Plan
from shared.settings.door import LimitSettings

REASONS: Final = (
    RefusalReason.RATE_LIMITED_REQUESTS,
    RefusalReason.RATE_LIMITED_TOKENS,
    RefusalReason.USER_RATE_LIMITED_REQUESTS,
    RefusalReason.USER_RATE_LIMITED_TOKENS,
    RefusalReason.TOO_MANY_IN_FLIGHT,
    RefusalReason.LANE_OVERLOADED,
    RefusalReason.BUDGET_EXHAUSTED,
)
"""Why a door refuses, in the script's order."""
RATES: Final = frozenset(REASONS[:4])
"""By what came within a minute, whatever became of it."""


class TenantLimits:
    """Under these settings; `plans` are those of tenants that have one of their own."""

    def __init__(self, settings: LimitSettings, plans: Mapping[str, Plan]) -> None:
        self._settings = settings
        self._plans = plans
        self._usual = plan_of_settings(settings)

    def of(self, tenant: str, *, named_user: bool) -> Limits:
        """Of a message of this tenant, that names its user or does not."""
        return limits_of(
            self._plans.get(tenant, self._usual),
            named_user=named_user,
            burst_share=self._settings.burst_share,
            half_life_seconds=self._settings.risk_half_life_seconds,
        )
