"""What both surfaces of batches work with."""

from __future__ import annotations

from dataclasses import dataclass

from ingress.api.door import Door
from ingress.api.http.exchange import Exchange
from ingress.authentication import Caller
from ingress.patience import Patience
from shared.batches.batch import Batch, BatchCounts, BatchUsage
from shared.batches.catalogue import BatchCatalogue
from shared.batches.items import BatchItems
from shared.batches.state import BatchSurface
from shared.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchDoor:
    """A tenant's batches, of which each surface has its own. Raises NotFound and LedgerUnavailable.

    Results quote what their batch could see: to a caller with principals there are no batches but
    those that were asked for with the same ones.

    Each call of the ledger has as long as the ledger has for a statement: whoever asks for a batch
    can wait for a busy disk.
    """

    door: Door
    catalogue: BatchCatalogue
    items: BatchItems
    patience: Patience
    clock: Clock

    async def find(self, exchange: Exchange, surface: BatchSurface) -> tuple[Caller, Batch]:
        """The batch that the path names, and who asks."""
        caller = await self.door.caller(exchange)
        finding = self.catalogue.find(
            exchange.parameters["batch_id"],
            tenant_id=caller.tenant.id,
            surface=surface,
            seen_by=caller.principals,
        )
        return caller, await self.patience.wait(finding)

    async def figures(self, batch: Batch) -> tuple[BatchCounts, BatchUsage]:
        """How far it is, and what was spent on it."""
        counts = await self.patience.wait(self.items.counts(batch))
        return counts, await self.patience.wait(self.items.usage(batch))
