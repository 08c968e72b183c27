"""Everything that reads and writes the ledger of the index, with one collection to begin with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import func, select

from shared.clock import ManualClock
from shared.index.chunk import FinishedDocument, RetiredChunk, StoredChunk
from shared.index.collections.catalogue import CollectionCatalogue
from shared.index.collections.collection import Collection
from shared.index.document import Document, OfferedDocument, OfferOutcome, document_id
from shared.index.documents.claiming import DocumentClaims
from shared.index.documents.indexing import DocumentIndexing
from shared.index.documents.offering import DocumentOffers
from shared.index.documents.reading import Documents
from shared.index.documents.retiring import RetiredChunks
from shared.index.embedding_cache import EmbeddingCache
from shared.index.tables import chunk
from shared.persistence.engine import Database
from shared.persistence.statements import reading

TENANT: Final = "ten_1"
SOURCE: Final = "folder:/src"
GENERATION: Final = "g-000000000001"
LEASE: Final = 30.0
LIMIT_BYTES: Final = 1_000_000


@dataclass(frozen=True)
class IndexLedger:
    """The parts, and what tests do with them all the time."""

    database: Database
    clock: ManualClock
    catalogue: CollectionCatalogue
    cache: EmbeddingCache
    offers: DocumentOffers
    claims: DocumentClaims
    indexing: DocumentIndexing
    retired: RetiredChunks
    documents: Documents
    collection: Collection

    async def offer(self, *paths: str, job: str = "job_1", size: int = 1) -> OfferOutcome:
        """A scan sees files of this size; their time is their size."""
        seen = [OfferedDocument(path, size, modified_ns=size) for path in paths]
        return await self.offers.offer(TENANT, self.collection.id, SOURCE, seen, job_id=job)

    async def claim(self, limit: int = 10, worker: str = "worker-1") -> list[Document]:
        return await self.claims.claim(
            worker, tenant_id=TENANT, limit=limit, limit_bytes=LIMIT_BYTES
        )

    async def one(self, worker: str = "worker-1") -> Document:
        (claimed,) = await self.claim(1, worker)
        return claimed

    async def plan(self, held: Document, *keys: str, generation: str = GENERATION) -> bool:
        return bool(await self.indexing.plan(generation, [(held, chunks_of(held, keys))]))

    async def finish(
        self, held: Document, *keys: str, generation: str = GENERATION, **done: Any
    ) -> bool:
        """With chunks of these keys, which are planned if they were not."""
        finished: dict[str, Any] = {
            "generation": generation,
            "digest": "-".join(keys)[:64],
            "size_bytes": held.size_bytes,
            "modified_ns": held.modified_ns,
            "chunks": tuple(each.point_id for each in chunks_of(held, keys)),
        }
        whole = FinishedDocument(**(finished | done))
        return bool(await self.indexing.finish([(held, whole)]))

    async def index(self, path: str, *keys: str, size: int = 1) -> Document:
        """Offer a document, and index it with chunks of these keys."""
        await self.offer(path, size=size)
        held = await self.one()
        assert held.path == path
        assert await self.plan(held, *keys)
        assert await self.finish(held, *keys)
        return await self.find(path)

    async def find(self, path: str) -> Document:
        key = (self.collection.id, document_id(self.collection.id, SOURCE, path))
        return (await self.documents.of(TENANT, [key]))[key]

    async def current(self, of: Document, generation: str = GENERATION) -> set[str]:
        """The keys of its current chunks."""
        return {key_of(id_) for id_ in await self.indexing.current(of, generation)}

    async def retire(self) -> list[RetiredChunk]:
        """What a worker does: delete from the stores what is retired, and forget it."""
        gone = await self.retired.retiring(limit=1000)
        await self.retired.forget(gone)
        return gone

    async def edition(self) -> int:
        return (await self.catalogue.find(TENANT, self.collection.id)).edition

    async def chunks(self) -> int:
        """Rows of chunks, in whatever state."""
        async with reading(self.database.relaxed) as connection:
            return await connection.scalar(select(func.count()).select_from(chunk)) or 0


async def open_index(database: Database, clock: ManualClock) -> IndexLedger:
    """The parts on this database, and a new collection."""
    catalogue = CollectionCatalogue(database, clock)
    cache = EmbeddingCache(database, clock)
    indexing = DocumentIndexing(database, clock, cache)
    claims = DocumentClaims(database, clock, indexing, lease_seconds=LEASE, attempt_limit=3)
    return IndexLedger(
        database=database,
        clock=clock,
        catalogue=catalogue,
        cache=cache,
        offers=DocumentOffers(database, clock),
        claims=claims,
        indexing=indexing,
        retired=RetiredChunks(database, clock),
        documents=Documents(database),
        collection=await catalogue.create(TENANT, name="code", generation=GENERATION),
    )


def chunks_of(of: Document, keys: Sequence[str]) -> list[StoredChunk]:
    """Chunks of these keys, one behind the other."""
    return [
        StoredChunk(f"{of.id[4:20]}/{key}", nth, of.path, nth + 1, nth + 1)
        for nth, key in enumerate(keys)
    ]


def key_of(point_id: str) -> str:
    return point_id.partition("/")[2]
