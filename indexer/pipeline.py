"""The road of a document: claim → read → cut → embed → write → finish.

The ledger says what is to be done before it is done, and what is done after it is: a process that
dies anywhere leaves a document that the next one takes up from its beginning, and every step may
be taken again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import accumulate, groupby
from typing import Final

from indexer.documents.embedding import ChunkEmbedding
from indexer.documents.holding import DocumentHolding
from indexer.documents.job_figures import JobFigures
from indexer.documents.planning import PlannedChunk, PlannedDocument, portions
from indexer.documents.settling import DocumentSettling
from indexer.preparing import DocumentPreparing
from indexer.stores.generation_keeping import GenerationKeeping
from indexer.stores.writing import Portion, StoreWriting
from shared.errors import NotFound, Unavailable
from shared.index.chunk import CachedVector
from shared.index.document import Document
from shared.index.documents.indexing import DocumentIndexing
from shared.index.jobs.settling import JobSettling
from shared.telemetry.metrics import Metrics

_AT_ONCE: Final = 32
"""Documents of one slice."""
_SLICE_BYTES: Final = 1_048_576
_GROUP_BYTES: Final = 65_536
"""Of documents that are embedded together: a few seconds of an encoder."""


class IndexPipeline:
    """Indexes what waits, a bounded slice at a time; several may run side by side."""

    def __init__(
        self,
        *,
        holding: DocumentHolding,
        generations: GenerationKeeping,
        preparing: DocumentPreparing,
        embedding: ChunkEmbedding,
        indexing: DocumentIndexing,
        writing: StoreWriting,
        settling: DocumentSettling,
        jobs: JobSettling,
        metrics: Metrics,
    ) -> None:
        self._holding = holding
        self._generations = generations
        self._preparing = preparing
        self._embedding = embedding
        self._indexing = indexing
        self._writing = writing
        self._settling = settling
        self._jobs = jobs
        self._metrics = metrics

    async def slice(self) -> list[Document]:
        """Indexes some of what waits and says of which documents; none where nothing waits.

        What becomes of each stands in the ledger. Raises LedgerUnavailable; cancelled, it gives
        back at once what it holds.
        """
        claimed = await self._holding.claim(limit=_AT_ONCE)
        taken = _within(claimed, _SLICE_BYTES)
        try:
            await self._holding.give_back(claimed[len(taken) :])
            for group in _groups(taken):
                await self._index(group)
        finally:
            await self._holding.give_back(claimed)
        return taken

    async def _index(self, group: Sequence[Document]) -> None:
        """Documents of one collection."""
        try:
            generation = await self._generations.of(group[0])
        except NotFound:
            await self._holding.give_back(group)  # the collection goes, and they with it
            return
        except Unavailable as error:
            await self._settling.put_off(group, error)
            return
        with self._timed("prepare"):
            prepared = await asyncio.gather(
                *(
                    self._settling.alone(each, self._preparing.prepare(each, generation))
                    for each in group
                )
            )
        plans = [plan for plan in prepared if plan is not None]
        figures = JobFigures(self._metrics)
        await self._write_all(plans, figures)
        with self._timed("finish"):
            for plan in filter(self._is_held, plans):
                finish = self._settling.finish(plan.document, plan.finished())
                await self._settling.alone(plan.document, finish)
        await figures.tell(self._jobs)

    async def _write_all(self, plans: Sequence[PlannedDocument], figures: JobFigures) -> None:
        try:
            await self._write(plans, figures)
        except Unavailable as error:
            await self._settling.put_off([plan.document for plan in plans], error)
        except Exception:  # noqa: BLE001 - of one of them: the others are written without it
            for plan in plans:
                await self._settling.alone(plan.document, self._write([plan], figures))

    async def _write(self, plans: Sequence[PlannedDocument], figures: JobFigures) -> None:
        for portion in portions(plans):
            held = [each for each in portion if self._is_held(each[0])]
            if held:
                await self._write_portion(held, figures)
        for plan in filter(self._is_held, plans):
            if plan.kept and await self._announce(plan, plan.moved, ()):
                await self._writing.move(plan)
                figures.kept(plan)

    async def _write_portion(self, portion: Portion, figures: JobFigures) -> None:
        chunks = [chunk for _, some in portion for chunk in some]
        with self._timed("embed"):
            embedded = await self._embedding.embed(portion[0][0].document.tenant_id, chunks)
        announced, made = [], embedded.made
        for plan, some in portion:
            if await self._announce(plan, some, made):
                announced.append((plan, some))
                made = ()
        if announced:
            with self._timed("write"):
                await self._writing.write(announced, embedded)
        for plan, some in announced:
            figures.written(plan, some, embedded)

    async def _announce(
        self,
        plan: PlannedDocument,
        chunks: Sequence[PlannedChunk],
        made: Sequence[CachedVector],
    ) -> bool:
        """Whether the ledger knows what is about to be written, and nobody else may write it."""
        document, stored = plan.document, [each.stored for each in chunks]
        is_known = await self._indexing.plan(document, plan.generation, stored, made)
        if is_known and self._holding.may_write(document):
            return True
        await self._holding.give_back([document])
        return False

    def _timed(self, step: str) -> AbstractContextManager[object]:
        return self._metrics.indexing_step_duration_seconds.labels(step).time()

    def _is_held(self, plan: PlannedDocument) -> bool:
        return self._holding.holds(plan.document)


def _within(documents: Sequence[Document], most_bytes: int) -> list[Document]:
    """The first ones that have so many bytes together, one of them at least."""
    sizes = accumulate(each.size_bytes for each in documents)
    fitting = sum(size <= most_bytes for size in sizes)
    return [*documents[: max(1, fitting)]]


def _groups(documents: Sequence[Document]) -> Iterator[list[Document]]:
    """Documents of one collection, some at a time."""
    by_collection = sorted(documents, key=lambda each: each.collection_id)
    for _, rest in groupby(by_collection, key=lambda each: each.collection_id):
        left = [*rest]
        while left:
            group = _within(left, _GROUP_BYTES)
            yield group
            left = left[len(group) :]
