"""All that expands and collects batches, on connections of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from shared.accepting.ledger_entry import LedgerEntries
from shared.batches.batch_budget import BatchBudget
from shared.batches.items import BatchItems
from shared.batches.work import BatchWork
from shared.clock import Clock
from shared.costs.till import open_till
from shared.erasing.cancelling import GroupCancelling
from shared.files.database_content import DatabaseContent
from shared.persistence.engine import Database
from shared.persistence.ledger.accepting import AcceptGroup
from shared.queueing.publisher import Publisher
from shared.redis.client import open_redis
from shared.replies.reply_stream import ReplyStream
from shared.reservations.reservations import Reservations
from shared.settings import Settings
from shared.telemetry.metrics import Metrics
from workers.batching.collector import Collector
from workers.batching.embedder import Embedder
from workers.batching.expander import Expander
from workers.batching.line_encoding import LineEncoding
from workers.batching.line_message import LineMessages
from workers.batching.result_files import ResultFiles
from workers.batching.sending import LineSender


class Batching(NamedTuple):
    """The rounds of batches."""

    expander: Expander
    collector: Collector
    embedder: Embedder


@asynccontextmanager
async def open_batching(
    settings: Settings, database: Database, publisher: Publisher, metrics: Metrics, clock: Clock
) -> AsyncIterator[Batching]:
    """For as long as the context is open; nothing connects before it is needed."""
    redis = open_redis(settings.redis)
    replies = ReplyStream(redis, ttl_seconds=settings.redis.reply_ttl_seconds)
    reservations = Reservations(redis, clock)
    sender = LineSender(redis, publisher, clock)
    accepting = AcceptGroup(database, wake_after_seconds=settings.ledger.wake_after_seconds)
    work, items = BatchWork(database, clock, accepting), BatchItems(database)
    entries = LedgerEntries(settings.lanes, clock)
    limit = settings.ingress.text_limit_bytes
    messages = LineMessages(entries, clock, text_limit_bytes=limit)
    encoding = LineEncoding(settings.embeddings, text_limit_bytes=limit)
    store = DatabaseContent(database)
    till = open_till(settings, database, redis, reservations, clock)
    budget = BatchBudget(database, till, clock)
    cancelling = GroupCancelling(database, replies, reservations, clock)
    files = ResultFiles(database, store, work, items, clock)
    try:
        yield Batching(
            Expander(work, store, messages, sender, budget, metrics, clock),
            Collector(work, items, files, cancelling, budget, metrics, clock),
            Embedder(work, store, encoding, clock),
        )
    finally:
        await encoding.close()
        await sender.close()
        await till.close()
        await reservations.close()
        await replies.close()
        await redis.aclose()
