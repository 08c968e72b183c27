"""The product itself in a folder that goes again: a ledger, a store, an indexer and a search."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from indexer.assembling import CALLS_PER_LEASE, IndexGround, IndexMachinery, assemble
from indexer.reading.document_reader import DocumentReader
from shared.clock import Clock
from shared.embeddings.encoder import DualEncoders
from shared.errors import Unavailable
from shared.identifiers import TENANT, new_id
from shared.index.collections.catalogue import CollectionCatalogue
from shared.index.documents.reading import Documents
from shared.index.documents.rows import WAITING
from shared.index.jobs.index_jobs import IndexJobs
from shared.persistence.engine import Database, open_database
from shared.persistence.migrating import apply_migrations
from shared.retrieval.opening import open_search
from shared.retrieval.passage_search import PassageSearch
from shared.retrieval.search_request import SearchRequest
from shared.retrieval.search_result import SearchResult
from shared.search.opening import open_vector_store
from shared.settings import Settings
from shared.settings.indexing.index import IndexSettings
from shared.settings.indexing.reranker import RerankerSettings
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings
from shared.telemetry.metrics import Metrics

_MOST_DOCUMENTS: Final = 1000
_ROUNDS: Final = 1000


@dataclass(frozen=True)
class ProductGround:
    """One collection with one folder as its source."""

    settings: Settings
    database: Database
    clock: Clock
    machinery: IndexMachinery
    search_: PassageSearch
    tenant: str
    collection: str
    folder: Path

    async def index(self) -> None:
        """What the folder has now, as a job does it, until nothing waits and nothing is to go."""
        jobs = IndexJobs(self.database, self.clock)
        await jobs.create(self.tenant, self.collection, f"folder:{self.folder}", remove_anyway=True)
        await self.machinery.scanning.work(lambda _: None)
        for _ in range(_ROUNDS):
            while await self.machinery.pipeline.slice():
                pass
            await self.machinery.retirement()
            if not await self._waits():
                break
        else:
            raise Unavailable("The evaluation's documents were not indexed: see the log.")
        await self.machinery.jobs.settle()

    def write(self, path: str, text: str) -> None:
        """A document in the folder; the next `index` takes it."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", errors="surrogatepass")

    async def targets(self, text: str, targets: Mapping[tuple[str, int, int], str]) -> list[str]:
        """Of the hits of a question, each target where the first of its passages stands."""
        hits = (await self.search(text)).hits
        places = [(hit.passage.path, hit.passage.first_line, hit.passage.last_line) for hit in hits]
        return [*dict.fromkeys(targets.get(each, each[0]) for each in places)]

    async def search(self, text: str, *, limit: int = 100) -> SearchResult:
        """As any caller asks, everything left to the product."""
        catalogue = CollectionCatalogue(self.database, self.clock)
        collection = await catalogue.find(self.tenant, self.collection)
        request = SearchRequest(
            tenant_id=self.tenant, collections=(collection,), text=text, limit=limit
        )
        return await self.search_.search(request)

    async def _waits(self) -> bool:
        documents = await Documents(self.database).list(
            self.tenant, self.collection, limit=_MOST_DOCUMENTS
        )
        return any(each.state in WAITING for each in documents)


@asynccontextmanager
async def open_product(
    settings: Settings, folder: Path, encoders: DualEncoders, clock: Clock
) -> AsyncIterator[ProductGround]:
    """In `folder`, which is empty; servers that the settings name are not asked."""
    own = msgspec.structs.replace(
        settings,
        index=IndexSettings(folder=str(folder / "index")),
        search=msgspec.structs.replace(settings.search, reranker=RerankerSettings()),
        ledger=LedgerSettings(url=ServerUrl(f"sqlite+aiosqlite:///{folder / 'ledger.sqlite'}")),
    )
    async with AsyncExitStack() as stack:
        database = open_database(own.ledger)
        stack.push_async_callback(database.close)
        await apply_migrations(database)
        store = open_vector_store(own.index, most_seconds=own.index.lease_seconds / CALLS_PER_LEASE)
        stack.push_async_callback(store.close)
        reader = DocumentReader(processes=1)
        stack.push_async_callback(reader.close)
        search = await stack.enter_async_context(open_search(own, database, clock, Metrics()))
        ground = IndexGround(
            settings=own.index,
            database=database,
            clock=clock,
            worker="evaluation",
            vectors=store,
            keyword=None,
            encoders=encoders,
            reader=reader,
        )
        tenant, source = new_id(TENANT), folder / "documents"
        source.mkdir()
        made = await CollectionCatalogue(database, clock).create(
            tenant, name="evaluation", generation=""
        )
        yield ProductGround(own, database, clock, assemble(ground), search, tenant, made.id, source)
