"""Making a batch, on every surface: estimated, paid ahead, then committed."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from typing import Final

from ingress.admission.limits import plan_of
from ingress.api.batches.forecast import Forecasts
from ingress.api.http.errors import NO_RETRY, HttpRefusal
from ingress.patience import Patience
from shared.batches.batch import Batch, BatchEstimate, NewBatch
from shared.batches.batch_budget import BatchBudget, set_aside_each
from shared.batches.catalogue import BatchCatalogue
from shared.costs.till import Till
from shared.errors import LedgerUnavailable
from shared.identifiers import BATCH, new_id
from shared.messages.tenant import Tenant
from shared.settings.door import LimitSettings

_NANO: Final = -9


class BatchCreation:
    """Batches of tenants, of whom those with a daily budget set aside what each is to cost."""

    def __init__(
        self,
        catalogue: BatchCatalogue,
        forecasts: Forecasts,
        budget: BatchBudget,
        till: Till,
        limits: LimitSettings,
        patience: Patience,
    ) -> None:
        self._catalogue = catalogue
        self._forecasts = forecasts
        self._budget = budget
        self._till = till
        self._limits = limits
        self._patience = patience

    async def create(self, new: NewBatch, tenant: Tenant) -> Batch:
        """The batch, on disk; or the same one that was asked for a moment ago.

        Raises InvalidRequest where the lane is known to need longer than its window, HttpRefusal
        where it would cost more than is left of the tenant's budget, LedgerUnavailable.
        """
        estimate = await self._forecasts.of(new)
        cap, each = plan_of(tenant, self._limits).daily_budget, set_aside_each(estimate)
        if cap is None or not each:
            return await self._patience.wait(self._catalogue.create(new, estimate=estimate))
        batch_id, amount = new_id(BATCH), each * estimate.messages
        if not await self._is_paid(tenant.id, batch_id, amount, cap):
            return await self._same(new, estimate)
        made: Batch | None = None
        try:
            creating = self._catalogue.create(
                new, batch_id=batch_id, estimate=estimate, set_aside_each=each
            )
            made = await self._patience.wait(creating)
        finally:
            # What was committed without our hearing of it is set aside anew by whoever keeps it.
            if made is None or made.id != batch_id:
                with suppress(LedgerUnavailable):
                    await self._budget.release(tenant.id, batch_id)
        return made

    async def _is_paid(self, tenant_id: str, batch_id: str, amount: int, cap: Decimal) -> bool:
        # Redis may be away, and then grants everything: the ledger knows what is spent.
        booked = await self._patience.wait(self._till.booked_today(tenant_id))
        if booked + Decimal(amount).scaleb(_NANO) > cap:
            return False
        return await self._patience.wait(self._budget.reserve(tenant_id, batch_id, amount, cap))

    async def _same(self, new: NewBatch, estimate: BatchEstimate) -> Batch:
        """What it would repeat; raises HttpRefusal where there is nothing."""
        same = await self._patience.wait(self._catalogue.same(new))
        if same is not None:
            return same
        raise HttpRefusal(
            429,
            f"It would cost about {estimate.standard_cost:f} US dollars, and less is free of the "
            "day's budget: it is spent, or set aside for messages and batches that have not "
            "ended. Send fewer lines, ask later, or have the budget raised.",
            code="budget_exhausted",
            headers=(NO_RETRY,),
        )
