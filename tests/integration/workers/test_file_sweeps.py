"""A worker's janitor forgets files whose time is over and removes content that nobody names."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy import func, insert, select

from shared.clock import SystemClock
from shared.files.stored_file import FilePurpose
from shared.files.tables import content, content_chunk, stored_file
from shared.index.collections.catalogue import CollectionCatalogue
from shared.index.document import NewDocument
from shared.index.documents.posting import DocumentPosts
from shared.index.documents.reading import Documents
from shared.persistence.engine import Database, open_database
from shared.persistence.statements import reading, transaction
from tests.integration.workers.agent_worker import AgentWorker
from tests.integration.workers.provider_thread import ProviderThread
from tests.integration.workers.stack import Stack, openai_link

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
UNNAMED = {"id": "cont_1", "tenant_id": "ten_1", "bytes": 3, "removable_at": LONG_AGO}
NAMED = {"id": "cont_2", "tenant_id": "ten_1", "bytes": 3, "digest": "d"}
EXPIRED = {"id": "file-1", "tenant_id": "ten_1", "content_id": "cont_2", "bytes": 3}
LABEL = {"filename": "a", "purpose": FilePurpose.VISION}
TIMES = {"created_at": LONG_AGO, "expires_at": LONG_AGO}


async def test_what_is_over_is_swept_while_a_worker_runs(
    redis_url: str,
    migrated_sqlite_url: str,
    provider: ProviderThread,
    start_worker: Callable[..., AgentWorker],
) -> None:
    stack = Stack(
        broker_url=redis_url,
        redis_url=redis_url,
        ledger_url=migrated_sqlite_url,
        providers=[openai_link(provider.url)],
    )
    database = open_database(stack.settings.ledger)
    async with transaction(database.durable) as connection:
        await connection.execute(insert(content).values(UNNAMED))
        await connection.execute(insert(content).values(NAMED))
        for content_id in ("cont_1", "cont_2"):
            chunk = {"content_id": content_id, "ordinal": 0, "body": b"abc"}
            await connection.execute(insert(content_chunk).values(chunk))
        await connection.execute(insert(stored_file).values(EXPIRED | LABEL | TIMES))
    made = await CollectionCatalogue(database, SystemClock()).create("ten_1", name="docs")
    put = NewDocument(path="a", digest="d", size_bytes=3, file_id="file-1")
    await DocumentPosts(database, SystemClock()).put("ten_1", made.id, put)
    start_worker(stack)
    async with asyncio.timeout(60):
        # The content of the file may still be read for a while.
        while await _left(database) != (0, 1, 1):  # noqa: ASYNC110 - another process sweeps
            await asyncio.sleep(0.05)
    assert await Documents(database).list("ten_1", made.id, limit=1) == []
    await database.close()


async def _left(database: Database) -> tuple[int, ...]:
    async with reading(database.relaxed) as connection:
        counts = [
            await connection.scalar(select(func.count()).select_from(table))
            for table in (stored_file, content, content_chunk)
        ]
    return tuple(count or 0 for count in counts)
