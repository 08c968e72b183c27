"""An indexer on a real ledger and the embedded engine, step by step in the hands of a test."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy
from sqlalchemy import select

from indexer.assembling import IndexGround, IndexMachinery, assemble
from indexer.reading.document_reader import DocumentReader
from indexer.sources.found import FoundFile
from indexer.sources.opening import open_named
from shared.clock import SystemClock
from shared.embeddings.encoder import DualEncoders, EncodedMany, EncoderPrompt
from shared.identifiers import TENANT, new_id
from shared.index.collections.catalogue import CollectionCatalogue
from shared.index.collections.collection import Collection
from shared.index.document import Document, OfferedDocument, OfferOutcome
from shared.index.documents.offering import DocumentOffers
from shared.index.documents.reading import Documents
from shared.index.documents.rows import WAITING
from shared.index.generation_name import generation_name
from shared.index.jobs.index_jobs import IndexJobs
from shared.index.jobs.job import IndexJob
from shared.index.states import JobState
from shared.index.tables import chunk
from shared.persistence.engine import Database
from shared.persistence.statements import reading
from shared.search.point import Scope
from shared.search.query import Query, Where, Words
from shared.search.vector_store import VectorStore
from shared.settings.indexing.index import IndexSettings

if TYPE_CHECKING:
    from shared.embeddings.encoder import Vectors

LIMIT_BYTES: Final = 1_000_000


@dataclass
class CountingEncoder:
    """Vectors out of the digests of texts, and which texts were asked for."""

    name: str = "counting/1"
    dimensions: int = 8
    token_limit: int = 128
    gains_by_company: bool = False
    encoded: list[str] = field(default_factory=list)

    async def encode(
        self, texts: Sequence[str], *, prompt: EncoderPrompt = EncoderPrompt.PASSAGE
    ) -> Vectors:
        return (await self.encode_many(texts, prompt=prompt)).vectors

    async def encode_many(
        self, texts: Sequence[str], *, prompt: EncoderPrompt = EncoderPrompt.PASSAGE
    ) -> EncodedMany:
        self.encoded += texts
        rows = [
            numpy.frombuffer(hashlib.sha256(each.encode()).digest()[:8], numpy.uint8)
            for each in texts
        ]
        vectors = numpy.asarray(rows, numpy.float32).reshape(len(texts), 8) + 1
        vectors /= numpy.linalg.norm(vectors, axis=1, keepdims=True)
        return EncodedMany(vectors, (False,) * len(texts), len(texts))

    async def warm_up(self) -> None:
        """Nothing to load."""

    async def close(self) -> None:
        """Nothing to give back."""


@dataclass(frozen=True)
class IndexingStage:
    """A collection, a folder as its source, and an indexer."""

    ground: IndexGround
    machinery: IndexMachinery
    tenant: str
    collection: Collection
    folder: Path
    encoder: CountingEncoder

    @property
    def source(self) -> str:
        return f"folder:{self.folder}"

    @property
    def scope(self) -> Scope:
        return Scope(self.collection.generation, self.tenant)

    def write(self, path: str, text: str) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    async def offer(self, job: str = "job_1") -> OfferOutcome:
        """What a scan does with what the folder has now."""
        found = open_named(self.source, limit_bytes=LIMIT_BYTES).scan()
        offered = [
            OfferedDocument(each.path, each.size_bytes, each.modified_ns)
            for each in found
            if isinstance(each, FoundFile)
        ]
        offers = DocumentOffers(self.ground.database, self.ground.clock)
        return await offers.offer(self.tenant, self.collection.id, self.source, offered, job_id=job)

    async def scan(self, *, remove_anyway: bool = False) -> IndexJob:
        """A job, scanned."""
        jobs = IndexJobs(self.ground.database, self.ground.clock)
        job = await jobs.create(
            self.tenant, self.collection.id, self.source, remove_anyway=remove_anyway
        )
        assert await self.machinery.scanning.work(lambda _: None)
        return await jobs.find(self.tenant, job.id)

    async def job(self, job: IndexJob) -> IndexJob:
        """As it is now, after all jobs were looked at whose documents may be done."""
        async with asyncio.timeout(60):
            while True:
                await self.machinery.jobs.settle()
                jobs = IndexJobs(self.ground.database, self.ground.clock)
                found = await jobs.find(self.tenant, job.id)
                if found.state is not JobState.INDEXING:
                    return found
                await asyncio.sleep(0.01)

    async def index(self) -> None:
        """All that waits, and then what is to go."""
        while await self.machinery.pipeline.slice():
            pass
        await self.machinery.retirement()

    async def until_indexed(self) -> None:
        """Until nothing waits: what was put off, or was removed, is due again in a moment."""
        async with asyncio.timeout(60):
            while any(each.state in WAITING for each in (await self.documents()).values()):
                await self.index()
                await asyncio.sleep(0.01)
        await self.machinery.retirement()

    async def indexed(self) -> list[str]:
        """Texts that were embedded since the last time that was asked."""
        texts = [*self.encoder.encoded]
        self.encoder.encoded.clear()
        return texts

    async def documents(self) -> dict[str, Document]:
        """By path."""
        documents = Documents(self.ground.database)
        found = await documents.list(self.tenant, self.collection.id, limit=1000)
        return {each.path: each for each in found}

    async def chunk_rows(self) -> dict[str, Any]:
        """All rows of chunks, by the ids of their points."""
        async with reading(self.ground.database.relaxed) as connection:
            rows = (await connection.execute(select(chunk))).all()
        return {row.point_id: row for row in rows}

    async def points(self) -> set[str]:
        """The ids of all points in the store."""
        found: set[str] = set()
        start = None
        while True:
            page = await self.ground.vectors.scroll(self.scope, Where(), start=start)
            found |= {*page.ids}
            if page.following is None:
                return found
            start = page.following

    async def found(self, words: str) -> list[tuple[str, int, int]]:
        """Paths and versions and first lines of what has these words, in the order of paths."""
        query = Query((Words(words),), None, limit=100)
        answer = await self.ground.vectors.query(self.scope, query)
        hits = answer.apart[0] if answer.apart else answer.hits
        return sorted(
            (each.passage.path, each.passage.first_line, each.passage.ver) for each in hits
        )

    async def adds_up(self) -> None:
        """The store has exactly what the ledger says is current."""
        rows = await self.chunk_rows()
        assert {row.state.value for row in rows.values()} <= {"current"}
        assert await self.points() == {*rows}

    def of(self, collection: Collection) -> IndexingStage:
        """The same with another collection, and its tenant."""
        return replace(self, collection=collection, tenant=collection.tenant_id)

    def beside(self, **other: Any) -> IndexingStage:
        """Another indexer beside this one, on the same ground but for these."""
        ground = replace(self.ground, **{"worker": "worker-2"} | other)
        return replace(self, ground=ground, machinery=assemble(ground))


async def open_stage(
    database: Database, folder: Path, vectors: VectorStore, reader: DocumentReader
) -> IndexingStage:
    """A stage with an empty folder and a collection without documents, of a tenant of its own."""
    encoder, tenant = CountingEncoder(), new_id(TENANT)
    ground = IndexGround(
        settings=IndexSettings(),
        database=database,
        clock=SystemClock(),
        worker="worker-1",
        vectors=vectors,
        keyword=None,
        encoders=DualEncoders(encoder, encoder),
        reader=reader,
    )
    catalogue = CollectionCatalogue(database, ground.clock)
    name = generation_name(encoder.name, encoder.name)
    collection = await catalogue.create(tenant, name="code", generation=name)
    folder.mkdir()
    return IndexingStage(ground, assemble(ground), tenant, collection, folder.resolve(), encoder)
