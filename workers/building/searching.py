"""The steps that search files, and the index behind them, opened when it is first asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial

from shared.clock import Clock
from shared.messages.file_search.found_text import FoundText
from shared.persistence.engine import Database
from shared.replies.reply_stream import ReplyStream
from shared.settings import Settings
from shared.telemetry.metrics import Metrics
from shared.telemetry.tracing import Tracing
from workers.pipeline import ForSearches
from workers.steps.searching.retrieve import Retrieve
from workers.steps.searching.retriever import Retriever, WantedPassages
from workers.steps.searching.survey import Survey


@dataclass(frozen=True, slots=True)
class SearchSteps:
    """What a turn does beside the usual steps where files are searched for it."""

    survey: ForSearches
    """Before the cache is looked into."""
    retrieve: ForSearches
    """Before the answer."""


class LazyRetriever:
    """One that is loaded beside the loop with the first question."""

    def __init__(self, load: Callable[[], Retriever]) -> None:
        self._load = load
        self._loading = asyncio.Lock()
        self._loaded: Retriever | None = None

    async def editions(self, tenant_id: str, ids: Sequence[str]) -> tuple[tuple[str, int], ...]:
        return await (await self._there()).editions(tenant_id, ids)

    async def find(self, wanted: WantedPassages) -> tuple[FoundText, ...]:
        return await (await self._there()).find(wanted)

    async def _there(self) -> Retriever:
        async with self._loading:
            if self._loaded is None:
                self._loaded = await asyncio.to_thread(self._load)
            return self._loaded


def open_search_steps(
    settings: Settings,
    database: Database,
    replies: ReplyStream,
    stack: AsyncExitStack,
    clock: Clock,
    metrics: Metrics,
    tracing: Tracing,
) -> SearchSteps:
    """What the index opens is closed with `stack`."""
    context = settings.context

    def load() -> Retriever:
        # Few messages search, and what searches takes half a second to load.
        from shared.index.collections.catalogue import CollectionCatalogue
        from shared.retrieval.opening import open_search
        from workers.steps.searching.index_retriever import IndexRetriever

        catalogue = CollectionCatalogue(database, clock)
        opening = partial(open_search, settings, database, clock, metrics, tracing)
        return IndexRetriever(catalogue, opening, stack, clock)

    retriever = LazyRetriever(load)
    return SearchSteps(
        ForSearches(Survey(retriever, seconds=context.search_seconds, clock=clock)),
        ForSearches(Retrieve(retriever, replies, context, clock)),
    )
