"""The meter: what each attempt cost, counted once for the ledger and once for the metrics."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from shared.costs.price import TokenCount
from shared.costs.prices import Prices
from shared.telemetry.metrics import Metrics


class Meter:
    """Prices attempts; an amount it cannot know is None and is counted as such."""

    def __init__(self, prices: Prices, metrics: Metrics) -> None:
        self._prices = prices
        self._metrics = metrics

    def cost(
        self,
        provider: str,
        model: str,
        tokens: TokenCount | None,
        *,
        at: datetime,
    ) -> Decimal | None:
        """Dollars for one attempt; `tokens` is None where nothing was charged."""
        if tokens is None or self._prices.is_free(provider):
            return Decimal(0)
        cost = self._prices.cost(provider, model, tokens, at=at)
        if cost is None:
            self._metrics.unknown_costs.labels(provider, model).inc()
        else:
            self._metrics.cost.labels(provider, model).inc(float(cost))
        return cost


def total_cost(costs: Iterable[Decimal | None]) -> Decimal | None:
    """The sum; None as soon as one part is unknown, and zero for no attempts at all."""
    total = Decimal(0)
    for cost in costs:
        if cost is None:
            return None
        total += cost
    return total
