"""What one indexer process owns, opened and closed with its event loop."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Final, TypeVar

from indexer.assembling import CALLS_PER_LEASE, IndexGround, assemble
from indexer.crew import IndexCrew
from indexer.documents.holding import RENEWALS_PER_LEASE
from indexer.reading.document_reader import DocumentReader
from shared.clock import Clock, SystemClock
from shared.embeddings.opening import open_encoders
from shared.identifiers import new_process_name
from shared.persistence.engine import Database
from shared.persistence.ledger.leadership import Round, led
from shared.persistence.ledger.role_leases import RoleLease
from shared.persistence.migrating import require_migrations
from shared.queueing.index_waker import open_index_waker
from shared.resilience.loop_watch import watched_loop
from shared.resilience.periodic import repeat, running
from shared.search.keyword.keyword_store import KeywordStore
from shared.search.keyword.opening import open_keyword_store
from shared.search.opening import open_vector_store
from shared.search.vector_store import VectorStore
from shared.settings import Settings
from shared.settings.loading.secrets import with_index_keys
from shared.telemetry.metrics import Metrics
from shared.telemetry.open_tracing import open_tracing
from shared.telemetry.serving import served

_LOOK_SECONDS: Final = 1.0
_ROUND_SECONDS: Final = 1.0
_SWEEP_SECONDS: Final = 10.0
_SLOW_SWEEP_SECONDS: Final = 60.0
_ROUNDS_PER_LEASE: Final = 10
"""A leader that died is followed within so many rounds."""
_NICENESS: Final = 10
_Part = TypeVar("_Part")


class IndexerRuntime:
    """Opens an indexer's ground, and keeps its rounds going."""

    def __init__(
        self, settings: Settings, database: Database, stack: AsyncExitStack, clock: Clock
    ) -> None:
        self._settings = settings
        self._index = with_index_keys(settings.index)
        self._stack = stack
        self._clock = clock
        self._name = new_process_name()
        self._metrics = Metrics()
        self._database = database

    async def open(self) -> IndexCrew:
        """The crew, with its rounds running beside it."""
        seconds = self._settings.telemetry.blocked_loop_seconds
        await self._enter(watched_loop(self._metrics, seconds=seconds))
        await require_migrations(self._database)
        serving = served(
            self._metrics, host=self._index.metrics_host, port=self._index.metrics_port
        )
        self._stack.enter_context(serving)
        machinery = assemble(await self._ground())
        waker = await self._enter(open_index_waker(self._settings.broker))
        hands = self._index.concurrency
        crew = IndexCrew(machinery.scanning, machinery.pipeline, waker, hands=hands)
        every = self._index.lease_seconds / RENEWALS_PER_LEASE
        await self._repeat("document leases", machinery.holding.renew, every_seconds=every)
        await self._lead("retirement", machinery.retirement)
        await self._lead("index sweeps", machinery.retirement.sweep, every_seconds=_SWEEP_SECONDS)
        await self._lead(
            "embedding sweeps", machinery.embedding_sweeps, every_seconds=_SLOW_SWEEP_SECONDS
        )
        await self._lead("generations", machinery.generations, every_seconds=_SWEEP_SECONDS)
        await self._lead("index jobs", machinery.jobs.settle)
        for _ in range(hands):
            await self._repeat("look", crew.look, every_seconds=_LOOK_SECONDS)
        return crew

    async def _ground(self) -> IndexGround:
        vectors, keyword = self._open_stores()
        encoders = open_encoders(
            self._settings.embeddings, processes=self._index.cores, niceness=_NICENESS
        )
        reader = DocumentReader(processes=self._index.concurrency)
        self._stack.push_async_callback(reader.close)
        tracing = open_tracing(self._settings.telemetry, "indexer")
        self._stack.push_async_callback(tracing.close)
        return IndexGround(
            settings=self._index,
            database=self._database,
            clock=self._clock,
            worker=self._name,
            vectors=vectors,
            keyword=keyword,
            encoders=await self._enter(encoders),
            reader=reader,
            metrics=self._metrics,
            tracing=tracing,
        )

    def _open_stores(self) -> tuple[VectorStore, KeywordStore | None]:
        most = self._index.lease_seconds / CALLS_PER_LEASE
        vectors = open_vector_store(self._index, most_seconds=most)
        self._stack.push_async_callback(vectors.close)
        keyword = open_keyword_store(self._index, most_seconds=most)
        if keyword is not None:
            self._stack.push_async_callback(keyword.close)
        return vectors, keyword

    async def _lead(self, role: str, work: Round, *, every_seconds: float = _ROUND_SECONDS) -> None:
        """A round of one process at a time."""
        seconds = every_seconds * _ROUNDS_PER_LEASE
        lease = RoleLease(
            self._database, self._clock, role=role, holder=self._name, lease_seconds=seconds
        )
        await self._repeat(role, await self._enter(led(lease, work)), every_seconds=every_seconds)

    async def _repeat(self, name: str, work: Round, *, every_seconds: float) -> None:
        await self._enter(running(repeat(name, work, every_seconds=every_seconds)))

    async def _enter(self, context: AbstractAsyncContextManager[_Part]) -> _Part:
        return await self._stack.enter_async_context(context)


@asynccontextmanager
async def open_indexer(settings: Settings, database: Database) -> AsyncIterator[IndexCrew]:
    """An indexer's crew for as long as the context is open; then its documents are given back.

    A ledger that is away is waited for. Raises SettingsError where a person must act.
    """
    async with AsyncExitStack() as stack:
        yield await IndexerRuntime(settings, database, stack, SystemClock()).open()
