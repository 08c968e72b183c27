"""The road of a document: claim → read → cut → embed → write → finish.

The ledger says what is to be done before it is done, and what is done after it is: a process that
dies anywhere leaves a document that the next one takes up from its beginning, and every step may
be taken again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import Final

from indexer.documents.embedding import WITHOUT_VECTORS, ChunkEmbedding
from indexer.documents.fair_claims import FairClaims
from indexer.documents.holding import DocumentHolding
from indexer.documents.job_figures import JobFigures
from indexer.documents.planning import PlannedDocument, portions
from indexer.documents.settling import DocumentSettling
from indexer.preparing import DocumentPreparing
from indexer.stores.generation_keeping import GenerationKeeping, WrittenGenerations
from indexer.stores.writing import Portion, StoreWriting
from shared.errors import NotFound, Unavailable
from shared.index.chunk import CachedVector
from shared.index.document import Document
from shared.index.documents.indexing import DocumentIndexing
from shared.index.jobs.settling import JobSettling
from shared.telemetry.metrics import Metrics
from shared.telemetry.tracing import Tracing

_AT_ONCE: Final = 32
"""Documents of one slice."""
_SLICE_BYTES: Final = 65_536
"""Of documents that are embedded together: a few seconds of an encoder."""


class IndexPipeline:
    """Indexes what waits, a bounded slice at a time; several may run side by side."""

    def __init__(
        self,
        *,
        claims: FairClaims,
        holding: DocumentHolding,
        generations: GenerationKeeping,
        preparing: DocumentPreparing,
        embedding: ChunkEmbedding,
        indexing: DocumentIndexing,
        writing: StoreWriting,
        settling: DocumentSettling,
        jobs: JobSettling,
        metrics: Metrics,
        tracing: Tracing,
    ) -> None:
        self._claims = claims
        self._holding = holding
        self._generations = generations
        self._preparing = preparing
        self._embedding = embedding
        self._indexing = indexing
        self._writing = writing
        self._settling = settling
        self._jobs = jobs
        self._metrics = metrics
        self._tracing = tracing

    async def slice(self) -> list[Document]:
        """Indexes some of what waits of the tenant whose turn it is, and says of which documents;
        none where nothing waits.

        What becomes of each stands in the ledger. Raises LedgerUnavailable; cancelled, it gives
        back at once what it holds.
        """
        turn = await self._claims.begin(limit=_AT_ONCE, limit_bytes=_SLICE_BYTES)
        if turn is None:
            return []
        figures = JobFigures(self._metrics)
        try:
            for group in _groups(turn.documents):
                told = {"forebay.collection_id": group[0].collection_id}
                with self._tracing.span("index documents", attributes=told):
                    await self._index(group, figures)
        finally:
            self._claims.settle(turn, tokens=figures.tokens)
            await self._holding.give_back(turn.documents)
        return [*turn.documents]

    async def _index(self, group: Sequence[Document], figures: JobFigures) -> None:
        """Documents of one collection."""
        try:
            generations = await self._generations.of(group[0])
        except NotFound:
            await self._holding.give_back(group)  # the collection goes, and they with it
            return
        except Unavailable as error:
            await self._settling.put_off(group, error)
            return
        with self._step("prepare"):
            prepared = await asyncio.gather(*(self._prepare(each, generations) for each in group))
        plans = [plan for plan in prepared if plan is not None]
        beside = [plan.beside for plan in plans if plan.beside is not None]
        # Its words are to be found whether or not the new models answer; vectors that both have
        # are counted where they are made.
        by_words = [plan for plan in beside if plan.by_words]
        for some in (by_words, plans, [plan for plan in beside if not plan.by_words]):
            await self._write_all(some, figures)
        with self._step("finish"):
            await self._finish_all([plan for plan in plans if self._is_held(plan)])
        await figures.tell(self._jobs)

    async def _prepare(
        self, document: Document, generations: WrittenGenerations
    ) -> PlannedDocument | None:
        told = {"forebay.document_id": document.id, "forebay.job_id": document.job_id or ""}
        with self._tracing.span("read", attributes=told) as span:
            preparing = self._preparing.prepare(document, generations)
            plan = await self._settling.alone(document, preparing)
            if plan is not None:
                span.set_attribute("forebay.chunks", len(plan.fresh) + len(plan.kept))
            return plan

    async def _write_all(self, plans: Sequence[PlannedDocument], figures: JobFigures) -> None:
        try:
            await self._write(plans, figures)
        except Unavailable as error:
            await self._settling.put_off([plan.document for plan in plans], error)
        except Exception:  # noqa: BLE001 - of one of them: the others are written without it
            for plan in plans:
                await self._settling.alone(plan.document, self._write([plan], figures))

    async def _finish_all(self, plans: Sequence[PlannedDocument]) -> None:
        finished = [(plan.document, plan.finished()) for plan in plans]
        try:
            await self._settling.finish(finished)
        except Unavailable as error:
            await self._settling.put_off([plan.document for plan in plans], error)
        except Exception:  # noqa: BLE001 - of one of them: the others are finished without it
            for one in finished:
                await self._settling.alone(one[0], self._settling.finish([one]))

    async def _write(self, plans: Sequence[PlannedDocument], figures: JobFigures) -> None:
        for portion in portions(plans):
            held = [each for each in portion if self._is_held(each[0])]
            if held:
                await self._write_portion(held, figures)
        for plan in filter(self._is_held, plans):
            # One by one: what is about to move when we die is written anew, not moved.
            if plan.kept and await self._announced([(plan, plan.moved)], ()):
                await self._writing.move(plan)
                figures.kept(plan)

    async def _write_portion(self, portion: Portion, figures: JobFigures) -> None:
        chunks = [chunk for _, some in portion for chunk in some]
        first = portion[0][0]
        with self._step("embed"):
            embedded = (
                WITHOUT_VECTORS
                if first.by_words
                else await self._embedding.embed(first.document.tenant_id, chunks)
            )
        figures.tokens += embedded.tokens
        announced = await self._announced(portion, embedded.made)
        if announced:
            with self._step("write"):
                await self._writing.write(announced, embedded)
        for plan, some in announced:
            figures.written(plan, some, embedded)

    async def _announced(self, portion: Portion, made: Sequence[CachedVector]) -> Portion:
        """What the ledger knows to be about to be written, and nobody else may write."""
        planned = [(plan.document, [each.stored for each in some]) for plan, some in portion]
        known = await self._indexing.plan(portion[0][0].generation, planned, made)
        lost = [
            document
            for document, _ in planned
            if (document.collection_id, document.id) not in known
            or not self._holding.may_write(document)
        ]
        await self._holding.give_back(lost)
        return [each for each in portion if self._is_held(each[0])]

    @contextmanager
    def _step(self, step: str) -> Iterator[None]:
        timed = self._metrics.indexing_step_duration_seconds.labels(step).time()
        with timed, self._tracing.span(step):
            yield

    def _is_held(self, plan: PlannedDocument) -> bool:
        return self._holding.holds(plan.document)


def _groups(documents: Sequence[Document]) -> Iterator[list[Document]]:
    """The documents of one collection each."""
    by_collection = sorted(documents, key=lambda each: each.collection_id)
    for _, some in groupby(by_collection, key=lambda each: each.collection_id):
        yield [*some]
