"""From the settings to what recalls: conversations, with or without summaries, and files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from redis.asyncio import Redis

from shared.clock import Clock
from shared.conversations.history import ConversationRepository
from shared.costs.prices import open_prices
from shared.files.database_content import DatabaseContent
from shared.files.file_catalogue import FileCatalogue
from shared.files.message_contents import MessageContents
from shared.messages.turn_report import Tier
from shared.persistence.engine import Database
from shared.settings import Settings
from shared.settings.turn.context import Summarise
from shared.telemetry.metrics import Metrics
from shared.telemetry.tracing import Tracing
from workers.context.attached_files import AttachedFiles
from workers.context.summary.summariser import Summariser
from workers.context.summary.summary_store import SummaryStore
from workers.context.tokens import Counters
from workers.providers.chain import Chain
from workers.steps.meter import Meter
from workers.steps.recall import Recall
from workers.steps.summary_model import ChainModel

if TYPE_CHECKING:
    from workers.steps.vary import Vary


def open_files(database: Database, clock: Clock) -> AttachedFiles:
    """What messages name by the ids of files."""
    store = DatabaseContent(database)
    return AttachedFiles(FileCatalogue(database, clock), store, MessageContents(database, store))


def varying(settings: Settings) -> Iterator[Vary]:
    """Nothing where no variant is set."""
    if settings.variants:
        from workers.steps.vary import Vary

        yield Vary(settings.variants)


def build_recall(
    settings: Settings,
    database: Database,
    redis: Redis,
    chain: Chain,
    *,
    metrics: Metrics,
    tracing: Tracing,
    clock: Clock,
) -> Recall:
    """Raises SettingsError for a tokenizer that cannot be read."""
    context, first = settings.context, chain.links[0].provider
    counters = Counters(context.tokenizers)
    summariser = None
    # Without a model there is nobody to write summaries.
    if context.summarise is not Summarise.OFF and any(link.breakers for link in chain.links):
        model = ChainModel(
            chain,
            meter=Meter(open_prices(settings.costs.prices, settings.providers), metrics),
            tracing=tracing,
            clock=clock,
        )
        summariser = Summariser(
            model,
            SummaryStore(redis, ttl_seconds=context.summary_ttl_seconds),
            counters.of(first.model_for(Tier.SMALL)),
            reading_tokens=context.token_budget,
            summary_tokens=max(1, min(context.summary_tokens, context.token_budget // 4)),
            metrics=metrics,
            clock=clock,
        )
    return Recall(
        ConversationRepository(database),
        context,
        counters=counters,
        model_for=first.model_for,
        summariser=summariser,
        metrics=metrics,
        clock=clock,
    )
