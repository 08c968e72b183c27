"""How each provider's models did."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Final

import msgspec

from shared.clock import Clock
from shared.rollups.reading import Dimension, RollupRow, Rollups, TimeSpan

_HOUR: Final = timedelta(hours=1)
_RATE_LIMITED: Final = "rate_limited"


class ProviderHour(msgspec.Struct, frozen=True, kw_only=True):
    """Calls of the last hour. `share` is of all calls of the hour; times are in seconds."""

    calls: int
    failed: int
    rate_limited: int
    errors: dict[str, int]
    p50: float | None
    p95: float | None
    share: float
    cost: Decimal


class ProviderFigures:
    """Everything raises LedgerUnavailable."""

    def __init__(self, rollups: Rollups, clock: Clock) -> None:
        self._rollups = rollups
        self._clock = clock

    async def of_the_hour(self) -> dict[str, ProviderHour]:
        """By the provider's name, a slash and the model's, as breakers are named."""
        now = self._clock.now()
        span = TimeSpan(now - _HOUR, now + timedelta(minutes=1))
        rows = await self._rollups.sums(span, by=(Dimension.PROVIDER, Dimension.MODEL))
        whole = sum(row.attempts for row in rows)
        return {
            f"{row.dims[Dimension.PROVIDER]}/{row.dims[Dimension.MODEL]}": _hour(row, whole)
            for row in rows
            if row.attempts
        }


def _hour(row: RollupRow, whole: int) -> ProviderHour:
    return ProviderHour(
        calls=row.attempts,
        failed=sum(row.errors.values()),
        rate_limited=row.errors.get(_RATE_LIMITED, 0),
        errors=row.errors,
        p50=row.attempt_latency.quantile(0.5),
        p95=row.attempt_latency.quantile(0.95),
        share=row.attempts / whole,
        cost=row.cost,
    )
