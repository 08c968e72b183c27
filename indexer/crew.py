"""What one indexer process does: slices of work, asked for by wake-ups or found by itself."""

from __future__ import annotations

import asyncio

from indexer.pipeline import IndexPipeline
from indexer.scanning import SourceScanning
from shared.queueing.index_waker import IndexWaker


class IndexCrew:
    """Scans and indexes, at most `hands` slices at once, whoever asks for them."""

    def __init__(
        self, scanning: SourceScanning, pipeline: IndexPipeline, waker: IndexWaker, *, hands: int
    ) -> None:
        self._scanning = scanning
        self._pipeline = pipeline
        self._waker = waker
        self._hands = hands
        self._free = asyncio.Semaphore(hands)
        self._scans = asyncio.Semaphore(max(1, hands - 1))

    async def work(self, about: str) -> str:
        """One slice, and a wake-up for the next one where there may be more; says what it did.

        Raises LedgerUnavailable.
        """
        async with self._free:
            done = await self._slice(about)
        return f"{done} documents" if done else "nothing waits"

    def wake(self, about: str) -> None:
        """Say to all indexers that there is work; never waits, never raises."""
        self._waker.wake(about)

    async def look(self) -> None:
        """A slice where a hand is free, so that a wake-up that was lost costs the time between
        two looks; all that waits while the broker is away. Raises LedgerUnavailable."""
        while not self._free.locked():
            async with self._free:
                if not await self._slice(None) or self._waker.arrives:
                    return

    async def _slice(self, about: str | None) -> int:
        """Scans first: what they find is indexed by the other hands meanwhile, of which one at
        least does not scan: nobody's document waits for the scans of others."""
        scanned = False
        if not self._scans.locked():
            async with self._scans:
                scanned = await self._scanning.work(self._waker.wake)
        documents = await self._pipeline.slice()
        if documents:
            self._waker.wake(about or documents[0].job_id or documents[0].collection_id)
        return len(documents) or int(scanned)
