"""All of the HTTP surface that is about the index, under OpenAI's names and under ours."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

from ingress.api.door import Door
from ingress.api.index.collections import CollectionEndpoints
from ingress.api.index.document_texts import DocumentTexts
from ingress.api.index.documents import DocumentEndpoints
from ingress.api.index.index_door import IndexDoor
from ingress.api.index.index_jobs import IndexJobEndpoints
from ingress.api.index.operations import (
    collection_operations,
    document_operations,
    job_operations,
    search_operations,
)
from ingress.api.index.search import SearchEndpoint
from ingress.api.index.searching import Searching
from ingress.api.index.waking import IndexWaking
from ingress.api.metered_calls import MeteredCalls
from ingress.api.reference.operation import Operation
from ingress.api.vector_stores.file_batches import FileBatches
from ingress.api.vector_stores.named_files import NamedFiles
from ingress.api.vector_stores.operations import (
    file_batch_operations,
    store_file_operations,
    store_operations,
    store_search_operations,
)
from ingress.api.vector_stores.store_files import StoreFiles
from ingress.api.vector_stores.store_search import StoreSearches
from ingress.api.vector_stores.stores import VectorStores
from ingress.patience import Patience
from shared.clock import Clock
from shared.files.file_catalogue import FileCatalogue
from shared.index.collections.catalogue import CollectionCatalogue
from shared.index.collections.figures import CollectionFigures
from shared.index.collections.generations import CollectionGenerations
from shared.index.documents.changing import DocumentChanges
from shared.index.documents.indexing import DocumentIndexing
from shared.index.documents.posting import DocumentPosts
from shared.index.documents.reading import Documents
from shared.index.embedding_cache import EmbeddingCache
from shared.index.jobs.index_jobs import IndexJobs
from shared.index.jobs.skipped_files import SkippedFiles
from shared.persistence.engine import Database
from shared.settings import Settings
from shared.settings.loading.secrets import with_index_keys
from shared.telemetry.metrics import Metrics

if TYPE_CHECKING:
    from shared.retrieval.passage_search import PassageSearch
    from shared.search.vector_store import VectorStore


class IndexSurface:
    """The index behind a door. Nothing of it is opened before somebody asks for it."""

    def __init__(
        self,
        door: Door,
        database: Database,
        calls: MeteredCalls,
        settings: Settings,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._settings = settings
        self._tracing = door.tracing
        self._metrics = metrics
        self._database = database
        self._clock = clock
        self.catalogue = CollectionCatalogue(database, clock)
        self._waking = IndexWaking(settings.broker)
        self._index = IndexDoor(
            door=door,
            settings=settings.index,
            catalogue=self.catalogue,
            documents=Documents(database),
            posts=DocumentPosts(database, clock),
            changes=DocumentChanges(database, clock),
            figures=CollectionFigures(database),
            generations=CollectionGenerations(database, clock),
            files=FileCatalogue(database, clock),
            waking=self._waking,
            patience=Patience(settings.ledger.timeout_seconds),
        )
        self._jobs = IndexJobs(database, clock)
        self._skipped = SkippedFiles(database)
        chunks = DocumentIndexing(database, clock, EmbeddingCache(database, clock))
        self._texts = DocumentTexts(self._open_store, chunks)
        self._searching = Searching(self._open_search, calls)

    def operations(self) -> list[Operation]:
        """Their routes."""
        index, searching = self._index, self._searching
        files = NamedFiles(index)
        return [
            *store_operations(VectorStores(index, files)),
            *store_search_operations(StoreSearches(index, searching)),
            *store_file_operations(StoreFiles(index, files, self._texts)),
            *file_batch_operations(FileBatches(index, files)),
            *collection_operations(CollectionEndpoints(index)),
            *document_operations(DocumentEndpoints(index)),
            *job_operations(IndexJobEndpoints(index, self._jobs, self._skipped)),
            *search_operations(SearchEndpoint(index, searching)),
        ]

    async def close(self) -> None:
        """Let go of what was opened."""
        await self._searching.close()
        await self._texts.close()
        await self._waking.close()

    def _open_store(self) -> VectorStore:
        from shared.search.opening import open_vector_store

        waits = self._settings.search.store_timeout_seconds
        return open_vector_store(with_index_keys(self._settings.index), most_seconds=waits)

    def _open_search(self) -> AbstractAsyncContextManager[PassageSearch]:
        # Encoders and the engine take long to load, and most doors of a fleet are never asked.
        from shared.retrieval.opening import open_search

        return open_search(
            self._settings, self._database, self._clock, self._metrics, self._tracing
        )
