"""What jobs and Prometheus are told of chunks: how many were embedded, how many known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from indexer.documents.embedding import EmbeddedChunks
from indexer.documents.planning import PlannedChunk, PlannedDocument
from shared.index.jobs.settling import JobSettling
from shared.telemetry.metrics import Metrics


class JobFigures:
    """Counts for one turn, whose jobs are told after each of its groups; `tokens` are all that
    were embedded in it.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._chunks = metrics.indexed_chunks
        self.tokens = 0
        self._embedded: Counter[str] = Counter()
        self._reused: Counter[str] = Counter()

    def written(
        self, plan: PlannedDocument, chunks: Sequence[PlannedChunk], embedded: EmbeddedChunks
    ) -> None:
        """These chunks were written with these vectors; what is written twice counts once."""
        if plan.is_beside:
            return
        made = sum(map(embedded.is_made_for, chunks))
        self._count(plan, embedded=made, reused=len(chunks) - made)

    def kept(self, plan: PlannedDocument) -> None:
        """These were in the stores."""
        if plan.is_beside:
            return
        self._count(plan, embedded=0, reused=len(plan.kept))

    def _count(self, plan: PlannedDocument, *, embedded: int, reused: int) -> None:
        self._chunks.labels("embedded").inc(embedded)
        self._chunks.labels("reused").inc(reused)
        if job_id := plan.document.job_id:
            self._embedded[job_id] += embedded
            self._reused[job_id] += reused

    async def tell(self, jobs: JobSettling) -> None:
        """Add them to the figures of each job; raises LedgerUnavailable."""
        for job_id in self._embedded.keys() | self._reused.keys():
            embedded, reused = self._embedded.pop(job_id, 0), self._reused.pop(job_id, 0)
            await jobs.count(job_id, embedded=embedded, reused=reused)
