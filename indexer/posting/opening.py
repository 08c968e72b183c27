"""The document intake of one indexer, with what it writes and answers through."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from indexer.posting.document_intake import DocumentIntake
from indexer.posting.document_writing import DocumentWriting
from shared.clock import SystemClock
from shared.index.collections.catalogue import CollectionCatalogue
from shared.index.documents.posting import DocumentPosts
from shared.persistence.engine import Database
from shared.persistence.tenants import TenantRepository
from shared.queueing.answers.answer_publisher import build_answer_publisher
from shared.queueing.dead_letters.sink import build_dead_letter_sink
from shared.settings import Settings


@asynccontextmanager
async def open_document_intake(
    settings: Settings, database: Database, *, wake: Callable[[str], None]
) -> AsyncIterator[DocumentIntake]:
    """An intake for as long as the context is open; it connects with its first message."""
    async with AsyncExitStack() as stack:
        clock = SystemClock()
        answers = build_answer_publisher(settings.broker)
        await answers.start()
        stack.push_async_callback(answers.close)
        sink = build_dead_letter_sink(settings.broker)
        await sink.start()
        stack.push_async_callback(sink.close)
        writing = DocumentWriting(
            TenantRepository(database, clock),
            CollectionCatalogue(database, clock),
            DocumentPosts(database, clock),
            clock,
            limit_bytes=settings.index.document_limit_bytes,
        )
        yield DocumentIntake(settings.broker, writing, answers, sink, wake=wake)
