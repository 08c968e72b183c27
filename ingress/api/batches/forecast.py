"""What a batch will take, told before anything of it is read but its beginning."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from msgspec.structs import replace

from ingress.admission.limits import plan_of
from ingress.api.batches.pace import BatchPace
from ingress.api.batches.sample import Sample, sample_of
from ingress.api.http.errors import NO_RETRY, HttpRefusal
from ingress.patience import Patience
from shared.batches.batch import BatchEstimate, NewBatch
from shared.clock import Clock
from shared.costs.budget import Budgets
from shared.costs.price import ServedTier, TokenCount
from shared.costs.prices import Prices
from shared.errors import InvalidRequest
from shared.files.content_store import ContentStore
from shared.messages.tenant import Tenant
from shared.settings import Settings

_SMALLEST: Final = Decimal("0.000001")


class Forecasts:
    """Estimates from the first lines of a batch, and refuses what cannot be met or paid.

    A line that cannot be read is one all the same: the batch itself says what is wrong with it.
    """

    def __init__(
        self,
        store: ContentStore,
        pace: BatchPace,
        prices: Prices,
        budgets: Budgets,
        settings: Settings,
        clock: Clock,
        patience: Patience,
    ) -> None:
        self._store = store
        self._pace = pace
        self._prices = prices
        self._budgets = budgets
        self._settings = settings
        self._clock = clock
        self._patience = patience

    async def of(self, new: NewBatch, tenant: Tenant) -> BatchEstimate:
        """What it will take.

        Raises InvalidRequest where the lane is known to need longer than its window, HttpRefusal
        where it would cost more than is left of the tenant's budget, LedgerUnavailable.
        """
        beginning = await self._patience.wait(self._store.read(new.content_id, 0)) or b""
        sample = sample_of(beginning, new.input_bytes)
        seconds = await self._pace.seconds(tenant.id, round(sample.lines))
        estimate = self._estimate(sample, seconds)
        if (estimate.eta_seconds or 0) > new.window_seconds:
            raise InvalidRequest(
                f"It would be answered in about {estimate.eta_seconds:.0f} s as the batch lane "
                "stands, and its window is shorter. Ask for a longer one, or ask later.",
                param="completion_window",
            )
        await self._check_budget(estimate, new, tenant)
        return estimate

    async def close(self) -> None:
        """Stop what is being read."""
        await self._budgets.close()

    def _estimate(self, sample: Sample, seconds: float | None) -> BatchEstimate:
        scale, tokens = sample.scale, [each for _, each in sample.requests]
        return BatchEstimate(
            round(sample.lines),
            round(sum(each.input_tokens for each in tokens) * scale),
            round(sum(each.output_tokens for each in tokens) * scale),
            cost=self._all(sample, ServedTier.BATCH),
            standard_cost=self._all(sample, ServedTier.STANDARD),
            eta_seconds=seconds,
        )

    def _all(self, sample: Sample, tier: ServedTier) -> Decimal | None:
        """US dollars for all of it at that tier; None where a price of it is unknown."""
        total = Decimal(0)
        for model, tokens in sample.requests:
            cost = self._cost(model, replace(tokens, tier=tier))
            if cost is None:
                return None
            total += cost
        return (total * Decimal(sample.scale)).quantize(_SMALLEST)

    def _cost(self, model: str | None, tokens: TokenCount) -> Decimal | None:
        """Of the first provider that has the model; of the first that is asked, where none has."""
        chain = self._settings.providers
        named = [each for each in chain if model in each.named_models] or list(chain[:1])
        if not named:
            return None
        asked = model if model in named[0].named_models else next(iter(named[0].named_models), "")
        return self._prices.cost(named[0].name, asked or "", tokens, at=self._clock.now())

    async def _check_budget(self, estimate: BatchEstimate, new: NewBatch, tenant: Tenant) -> None:
        cap, cost = plan_of(tenant, self._settings.limits).daily_budget, estimate.standard_cost
        if cap is None or cost is None:
            return
        now = self._clock.now()
        booked = await self._patience.wait(self._budgets.booked_today(tenant.id))
        left = max(cap - booked, Decimal(0)) + cap * _midnights(now, new.window_seconds)
        if cost > left:
            raise HttpRefusal(
                429,
                f"It would cost about {cost:f} US dollars, and {left:f} are left of the budget "
                "until its window ends. Send fewer lines, or have the budget raised.",
                code="budget_exhausted",
                headers=(NO_RETRY,),
            )


def _midnights(now: datetime, window_seconds: int) -> int:
    """How many budgets begin before the window ends."""
    return ((now + timedelta(seconds=window_seconds)).date() - now.date()).days
