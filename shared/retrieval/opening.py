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
from shared.retrieval.legs import LegName
from shared.retrieval.search import Search
from shared.search.keyword.opening import open_keyword_store
from shared.search.opening import open_vector_store
from shared.settings import Settings
from shared.settings.loading.secrets import with_index_keys
from shared.telemetry.metrics import Metrics


@asynccontextmanager
async def open_search(
    settings: Settings, database: Database, clock: Clock, metrics: Metrics
) -> AsyncIterator[Search]:
    """One for this process, behind a fork; nothing is loaded or asked before the first question.

    Raises SettingsError where a server's key cannot be had.
    """
    index, waits = with_index_keys(settings.index), settings.search
    async with AsyncExitStack() as stack:
        encoders = await stack.enter_async_context(open_encoders(settings.embeddings))
        store = open_vector_store(index, most_seconds=waits.store_timeout_seconds)
        stack.push_async_callback(store.close)
        keyword = open_keyword_store(index)
        if keyword is not None:
            stack.push_async_callback(keyword.close)
        yield Search(
            QuestionVectors(encoders, timeout_seconds=waits.encoder_timeout_seconds),
            GenerationSearch(
                StoreLegs(store, timeout_seconds=waits.store_timeout_seconds),
                KeywordLeg(keyword, timeout_seconds=waits.keyword_timeout_seconds),
                SymbolLeg(SymbolTable(database), timeout_seconds=waits.symbols_timeout_seconds),
            ),
            PassageRows(database),
            CollectionCatalogue(database, clock),
            CollectionFigures(database),
            waits,
            metrics,
            clock=clock,
            available=frozenset(LegName) - ({LegName.KEYWORD} if keyword is None else set()),
        )
