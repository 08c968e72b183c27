"""The parts of an indexer put together, on whatever stores and encoders it is given."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from indexer.documents.embedding import ChunkEmbedding
from indexer.documents.fair_claims import FairClaims
from indexer.documents.fetching import DocumentFetching
from indexer.documents.holding import DocumentHolding
from indexer.documents.settling import DocumentSettling
from indexer.pipeline import IndexPipeline
from indexer.preparing import DocumentPreparing
from indexer.reading.document_reader import DocumentReader
from indexer.scanning import SourceScanning
from indexer.stores.generation_keeping import GenerationKeeping
from indexer.stores.retirement import Retirement
from indexer.stores.writing import StoreWriting
from shared.clock import Clock
from shared.embeddings.encoder import DualEncoders
from shared.files.database_content import DatabaseContent
from shared.files.file_catalogue import FileCatalogue
from shared.index.collection_sweeps import CollectionSweeps
from shared.index.collections.catalogue import CollectionCatalogue
from shared.index.collections.generations import CollectionGenerations
from shared.index.collections.named_generations import NamedGenerations
from shared.index.documents.changing import DocumentChanges
from shared.index.documents.claiming import DocumentClaims
from shared.index.documents.indexing import DocumentIndexing
from shared.index.documents.offering import DocumentOffers
from shared.index.documents.reading import Documents
from shared.index.documents.rebuilding import Rebuilding
from shared.index.documents.retiring import RetiredChunks
from shared.index.embedding_cache import EmbeddingCache
from shared.index.embedding_sweeps import EmbeddingSweeps
from shared.index.jobs.scanning import Scans
from shared.index.jobs.settling import JobSettling
from shared.index.jobs.skipped_files import SkippedFiles
from shared.index.waiting_tenants import WaitingTenants
from shared.persistence.engine import Database
from shared.search.keyword.keyword_store import KeywordStore
from shared.search.vector_store import VectorStore
from shared.settings.indexing.index import IndexSettings
from shared.telemetry.metrics import Metrics
from shared.telemetry.tracing import SilentTracing, Tracing

CALLS_PER_LEASE: Final = 3
"""Calls of stores, each as long as it may take, that fit into a lease."""


@dataclass(frozen=True, slots=True)
class IndexGround:
    """What an indexer stands on."""

    settings: IndexSettings
    database: Database
    clock: Clock
    worker: str
    vectors: VectorStore
    keyword: KeywordStore | None
    encoders: DualEncoders
    reader: DocumentReader
    metrics: Metrics = field(default_factory=Metrics)
    """Counts for nobody where nobody is to see it."""
    tracing: Tracing = field(default_factory=SilentTracing)

    @property
    def call_seconds(self) -> float:
        """The longest that a store's call may take."""
        return self.settings.lease_seconds / CALLS_PER_LEASE


@dataclass(frozen=True, slots=True)
class IndexMachinery:
    """What scans and indexes on it, and what goes round beside that."""

    scanning: SourceScanning
    jobs: JobSettling
    pipeline: IndexPipeline
    holding: DocumentHolding
    generations: GenerationKeeping
    retirement: Retirement
    embedding_sweeps: EmbeddingSweeps


def assemble(ground: IndexGround) -> IndexMachinery:
    """Nothing runs yet, and nothing was asked of any server."""
    cache = EmbeddingCache(ground.database, ground.clock)
    indexing = DocumentIndexing(ground.database, ground.clock, cache)
    holding = _holding(ground, indexing)
    writing = StoreWriting(ground.vectors, ground.keyword, ground.encoders)
    settling = DocumentSettling(holding, indexing, ground.metrics)
    generations = _generations(ground)
    jobs = JobSettling(ground.database, ground.clock)
    pipeline = IndexPipeline(
        claims=FairClaims(holding, WaitingTenants(ground.database, ground.clock)),
        holding=holding,
        generations=generations,
        preparing=DocumentPreparing(
            holding=holding,
            indexing=indexing,
            fetching=_fetching(ground),
            reader=ground.reader,
            writing=writing,
            settling=settling,
        ),
        embedding=ChunkEmbedding(
            ground.encoders, cache, tenants_share=ground.settings.tenants_share_embeddings
        ),
        indexing=indexing,
        writing=writing,
        settling=settling,
        jobs=jobs,
        metrics=ground.metrics,
        tracing=ground.tracing,
    )
    retirement = Retirement(
        RetiredChunks(ground.database, ground.clock),
        CollectionSweeps(ground.database, ground.clock),
        jobs,
        writing,
        ground.tracing,
    )
    scanning = _scanning(ground, jobs)
    days = ground.settings.embedding_retention_days
    sweeps = EmbeddingSweeps(ground.database, ground.clock, days=days)
    return IndexMachinery(scanning, jobs, pipeline, holding, generations, retirement, sweeps)


def _generations(ground: IndexGround) -> GenerationKeeping:
    database, clock = ground.database, ground.clock
    return GenerationKeeping(
        ground.encoders,
        ground.vectors,
        ground.keyword,
        catalogue=CollectionCatalogue(database, clock),
        generations=CollectionGenerations(database, clock),
        named=NamedGenerations(database),
        rebuilding=Rebuilding(database, clock),
    )


def _holding(ground: IndexGround, indexing: DocumentIndexing) -> DocumentHolding:
    settings = ground.settings
    claims = DocumentClaims(
        ground.database,
        ground.clock,
        indexing,
        lease_seconds=settings.lease_seconds,
        attempt_limit=settings.attempt_limit,
    )
    return DocumentHolding(
        claims,
        worker=ground.worker,
        lease_seconds=settings.lease_seconds,
        # One call to each of the two stores.
        write_seconds=2 * ground.call_seconds,
    )


def _fetching(ground: IndexGround) -> DocumentFetching:
    return DocumentFetching(
        Documents(ground.database),
        FileCatalogue(ground.database, ground.clock),
        DatabaseContent(ground.database),
        limit_bytes=ground.settings.file_limit_bytes,
    )


def _scanning(ground: IndexGround, jobs: JobSettling) -> SourceScanning:
    settings, database, clock = ground.settings, ground.database, ground.clock
    scans = Scans(
        database,
        clock,
        lease_seconds=settings.lease_seconds,
        attempt_limit=settings.attempt_limit,
    )
    return SourceScanning(
        WaitingTenants(database, clock),
        scans,
        jobs,
        DocumentOffers(database, clock),
        DocumentChanges(database, clock),
        Documents(database),
        SkippedFiles(database),
        worker=ground.worker,
        limit_bytes=settings.file_limit_bytes,
        tracing=ground.tracing,
    )
