"""Search as the settings have it, for whoever asks: the door, workers, the command line."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from shared.clock import Clock
from shared.embeddings.opening import open_encoders
from shared.index.collections.catalogue import CollectionCatalogue
from shared.index.collections.figures import CollectionFigures
from shared.index.documents.passage_rows import PassageRows
from shared.index.symbol_table import SymbolTable
from shared.persistence.engine import Database
from shared.retrieval.asking.generation_search import GenerationSearch
from shared.retrieval.asking.keyword_leg import KeywordLeg
from shared.retrieval.asking.question_vectors import QuestionVectors
from shared.retrieval.asking.store_legs import StoreLegs
from shared.retrieval.asking.symbol_leg import SymbolLeg
from shared.retrieval.legs import FINDING, LegName
from shared.retrieval.passage_search import PassageSearch
from shared.retrieval.reranking.reranked_search import RerankedSearch
from shared.retrieval.search import Search
from shared.retrieval.traced_search import TracedSearch
from shared.search.keyword.opening import open_keyword_store
from shared.search.opening import open_vector_store
from shared.settings import Settings
from shared.settings.indexing.reranker import RerankerSettings
from shared.settings.loading.secrets import with_index_keys, with_search_keys
from shared.telemetry.metrics import Metrics
from shared.telemetry.tracing import Tracing


@asynccontextmanager
async def open_search(
    settings: Settings,
    database: Database,
    clock: Clock,
    metrics: Metrics,
    tracing: Tracing | None = None,
) -> AsyncIterator[PassageSearch]:
    """One for this process, behind a fork; nothing is loaded or asked before the first question.

    Raises SettingsError where a server's key cannot be had.
    """
    index, waits = with_index_keys(settings.index), with_search_keys(settings.search)
    async with AsyncExitStack() as stack:
        encoders = await stack.enter_async_context(open_encoders(settings.embeddings))
        vectors = QuestionVectors(encoders, timeout_seconds=waits.encoder_timeout_seconds)
        stack.push_async_callback(vectors.close)
        store = open_vector_store(index, most_seconds=waits.store_timeout_seconds)
        stack.push_async_callback(store.close)
        keyword = open_keyword_store(index)
        if keyword is not None:
            stack.push_async_callback(keyword.close)
        search = Search(
            vectors,
            GenerationSearch(
                StoreLegs(store, timeout_seconds=waits.store_timeout_seconds),
                KeywordLeg(keyword, timeout_seconds=waits.keyword_timeout_seconds),
                SymbolLeg(SymbolTable(database), timeout_seconds=waits.symbols_timeout_seconds),
                tracing=tracing,
            ),
            PassageRows(database),
            CollectionCatalogue(database, clock),
            CollectionFigures(database),
            waits,
            metrics,
            clock=clock,
            available=FINDING - ({LegName.KEYWORD} if keyword is None else set()),
        )
        found: PassageSearch = search
        if waits.reranker.url:
            found = _reranked(search, waits.reranker, metrics, stack)
        yield found if tracing is None else TracedSearch(found, tracing)


def _reranked(
    search: Search, settings: RerankerSettings, metrics: Metrics, stack: AsyncExitStack
) -> RerankedSearch:
    from shared.retrieval.reranking.remote_reranker import RemoteReranker

    reranker = RemoteReranker(settings)
    stack.push_async_callback(reranker.close)
    return RerankedSearch(search, reranker, settings, metrics)
