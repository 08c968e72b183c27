"""What jobs are told of the chunks of their documents: how many were embedded, how many known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from indexer.documents.embedding import EmbeddedChunks
from indexer.documents.planning import PlannedChunk, PlannedDocument
from shared.index.jobs.settling import JobSettling


class JobFigures:
    """Counts for one group of documents, whose jobs are told once."""

    def __init__(self) -> None:
        self._embedded: Counter[str] = Counter()
        self._reused: Counter[str] = Counter()

    def written(
        self, plan: PlannedDocument, chunks: Sequence[PlannedChunk], embedded: EmbeddedChunks
    ) -> None:
        """These chunks were written with these vectors."""
        if job_id := plan.document.job_id:
            made = sum(map(embedded.is_made_for, chunks))
            self._embedded[job_id] += made
            self._reused[job_id] += len(chunks) - made

    def kept(self, plan: PlannedDocument) -> None:
        """These were in the stores."""
        if job_id := plan.document.job_id:
            self._reused[job_id] += len(plan.kept)

    async def tell(self, jobs: JobSettling) -> None:
        """Add them to the figures of each job; raises LedgerUnavailable."""
        for job_id in self._embedded.keys() | self._reused.keys():
            await jobs.count(job_id, embedded=self._embedded[job_id], reused=self._reused[job_id])
