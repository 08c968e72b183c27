"""Takes out of the stores what the ledger has retired, and then out of the ledger."""

from __future__ import annotations

from typing import Final

from indexer.stores.writing import StoreWriting
from shared.index.collection_sweeps import CollectionSweeps
from shared.index.documents.retiring import RetiredChunks
from shared.index.jobs.settling import JobSettling
from shared.telemetry.tracing import Tracing

_AT_ONCE: Final = 1000
_ROUNDS: Final = 50
"""Of one call: who leads the rounds must not lose the lead meanwhile."""


class Retirement:
    """Deletes from both stores first, and forgets what was deleted after that."""

    def __init__(
        self,
        chunks: RetiredChunks,
        collections: CollectionSweeps,
        jobs: JobSettling,
        writing: StoreWriting,
        tracing: Tracing,
    ) -> None:
        self._chunks = chunks
        self._collections = collections
        self._jobs = jobs
        self._writing = writing
        self._tracing = tracing

    async def __call__(self) -> None:
        """All that is retired by now, or a large part. Raises Unavailable; then it stays due."""
        for _ in range(_ROUNDS):
            retired = await self._chunks.retiring(limit=_AT_ONCE)
            if retired:
                with self._tracing.span("retire", attributes={"forebay.chunks": len(retired)}):
                    await self._writing.delete(retired)
                    await self._chunks.forget(retired)
            dropped = await self._chunks.drop_removed(limit=_AT_ONCE)
            if not retired and not dropped:
                return

    async def sweep(self) -> None:
        """Retire what goes with its collection, its generation or its age."""
        await self._collections.expire()
        await self._jobs.forget_old()
        for _ in range(_ROUNDS):
            left = await self._collections.take_down() + await self._collections.remove_deleted()
            if not left:
                return
