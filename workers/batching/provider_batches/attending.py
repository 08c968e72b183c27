"""Attending to a batch that a provider has: looking at it, taking its results, taking it back."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Final

from shared.batches.provider_batch import ProviderBatch
from shared.batches.provider_batches import ProviderBatchBook
from shared.batches.provider_tables import HandedOverState
from shared.clock import Clock
from shared.settings.deployment import ProviderBatchSettings
from shared.telemetry.logs import get_logger
from shared.telemetry.metrics import Metrics
from workers.batching.provider_batches.packing import Packing
from workers.batching.provider_batches.result_taking import ResultTaking
from workers.providers.batching.batch_provider import (
    BatchLook,
    BatchProvider,
    ProviderBatchState,
)
from workers.providers.failures import ProviderError

_LOOK_SECONDS: Final = 60.0
_GROWTH: Final = 1.5
_MOST_CUTS: Final = 4
"""Downloads in a row that are cut; what was not read by then is answered otherwise."""
_LONGEST_BETWEEN_DOWNLOADS: Final = 3_600.0
_GIVEN_UP_AFTER: Final = timedelta(days=2)
"""Batches end within a day; one that does not holds its tokens no longer."""


class Attending:
    """One provider's. Each step may be the last of this process: the next one goes on from what
    is on record. Raises LedgerUnavailable."""

    def __init__(
        self,
        provider: BatchProvider,
        settings: ProviderBatchSettings,
        packing: Packing,
        taking: ResultTaking,
        *,
        book: ProviderBatchBook,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._provider = provider
        self._settings = settings
        self._packing = packing
        self._taking = taking
        self._book = book
        self._metrics = metrics
        self._clock = clock
        self._log = get_logger(__name__)
        self._cuts: dict[str, int] = {}
        """Of batches whose results could not be read to their end: how often in a row."""

    async def __call__(self, batch: ProviderBatch) -> None:
        """Do what is due with it."""
        try:
            async with asyncio.timeout(_LOOK_SECONDS):
                if batch.remote_id is None:
                    await self._find(batch)
                    return
                look = await self._provider.look(batch.remote_id)
        except (ProviderError, TimeoutError) as error:
            await self._put_off(batch, error)
            return
        if look.state is ProviderBatchState.RUNNING:
            await self._wait(batch, batch.remote_id)
        else:
            await self._collect(batch, look)

    async def _find(self, batch: ProviderBatch) -> None:
        """Whoever handed it over said no more of it."""
        remote_id = await self._provider.find(batch.id)
        if remote_id is None or batch.state is HandedOverState.PULLED:
            await self._end(batch, "lost", "nobody knows whether it was handed over")
        else:
            await self._packing.taken(batch.id, remote_id, pull_at=batch.pull_at)

    async def _put_off(self, batch: ProviderBatch, error: BaseException) -> None:
        self._log.warning("batch_not_seen", batch=batch.id, reason=str(error))
        if self._is_overdue(batch):
            await self._pull(batch)
        await self._look_later(batch)

    async def _wait(self, batch: ProviderBatch, remote_id: str) -> None:
        if self._is_overdue(batch) or not await self._book.holds_any(batch.id):
            try:
                async with asyncio.timeout(_LOOK_SECONDS):
                    await self._provider.cancel(remote_id)
            except (ProviderError, TimeoutError) as error:
                self._log.warning("batch_not_cancelled", batch=batch.id, reason=str(error))
            await self._pull(batch)
        await self._look_later(batch)

    async def _pull(self, batch: ProviderBatch) -> None:
        if batch.state is HandedOverState.PULLED:
            return
        pulled = await self._book.pull(batch.id)
        self._metrics.provider_batches.labels(batch.provider, "pulled").inc()
        self._log.warning("batch_pulled", batch=batch.id, messages=len(pulled))

    async def _look_later(self, batch: ProviderBatch, *, pause: float = 0.0) -> None:
        now = self._clock.now()
        if now - batch.created_at > _GIVEN_UP_AFTER:
            await self._end(batch, "given_up", "it never ended")
            return
        settings = self._settings
        usual = settings.poll_seconds * _GROWTH ** min(batch.looks + 1, 50)
        pause = max(pause, min(usual, settings.longest_poll_seconds))
        look_at = now + timedelta(seconds=pause)
        if not self._is_overdue(batch):
            look_at = min(look_at, batch.pull_at)
        await self._book.postpone(batch.id, look_at=look_at)

    async def _collect(self, batch: ProviderBatch, look: BatchLook) -> None:
        try:
            await self._taking.take_all(batch)
        except ProviderError as error:
            await self._download_later(batch, error)
            return
        if look.state is ProviderBatchState.FAILED:
            self._packing.rest()
        outcome = "failed" if look.state is ProviderBatchState.FAILED else "ended"
        reason = look.reason or None
        if batch.state is HandedOverState.PULLED:
            reason = f"taken back; {look.reason or 'it ended later'}"
        await self._end(batch, outcome, reason)

    async def _download_later(self, batch: ProviderBatch, error: ProviderError) -> None:
        """Each download costs the provider all that it has: ever more time lies between them, and
        nobody waits for a result that never comes."""
        self._log.warning("results_cut", batch=batch.id, reason=str(error))
        cuts = self._cuts[batch.id] = self._cuts.get(batch.id, 0) + 1
        if cuts >= _MOST_CUTS or self._is_overdue(batch):
            await self._pull(batch)
        pause = self._settings.poll_seconds * 2.0 ** min(cuts, 20)
        await self._look_later(batch, pause=min(pause, _LONGEST_BETWEEN_DOWNLOADS))

    async def _end(self, batch: ProviderBatch, outcome: str, reason: str | None) -> None:
        self._cuts.pop(batch.id, None)
        back = await self._book.end(batch.id, reason=reason)
        self._metrics.provider_batches.labels(batch.provider, outcome).inc()
        if batch.submitted_at is not None and reason is None:
            took = (self._clock.now() - batch.submitted_at).total_seconds()
            self._metrics.provider_batch_duration_seconds.labels(batch.provider).observe(took)
        self._log.info("batch_ended", batch=batch.id, outcome=outcome, again=len(back), why=reason)

    def _is_overdue(self, batch: ProviderBatch) -> bool:
        return self._clock.now() >= batch.pull_at
