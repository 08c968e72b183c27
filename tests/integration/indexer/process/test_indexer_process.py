"""The indexer as it is started: by a wake-up, by its own look, and asked to stop."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
from pathlib import Path

import pytest
from redis.asyncio import Redis

from shared.clock import SystemClock
from shared.embeddings.opening import open_encoders
from shared.index.collections.catalogue import CollectionCatalogue
from shared.index.collections.collection import Collection
from shared.index.document import Document, NewDocument
from shared.index.documents.posting import DocumentPosts
from shared.index.documents.reading import Documents
from shared.index.generation_name import generation_name
from shared.index.states import DocumentState
from shared.persistence.engine import Database, open_database
from shared.queueing.index_waker import open_index_waker
from tests.integration.indexer.process.indexer_process import IndexerGround, IndexerProcess

TENANT = "ten_1"


async def test_an_indexer_finds_what_waits_and_stops_when_it_is_told_to(
    ground: IndexerGround, indexers: list[IndexerProcess]
) -> None:
    """What `celery -A indexer.app worker` starts is the same, as the next test shows."""
    database = open_database(ground.settings.ledger)
    collection = await new_collection(database, ground)
    posted = await post(database, collection, "a.md", "Nobody woke it.")
    indexers.append(IndexerProcess(ground).start())
    document = await until_done(database, posted, indexers[0])
    assert (document.state, document.passages) == (DocumentState.COMPLETED, 1)

    os.kill(indexers[0].process.pid, signal.SIGTERM)
    async with asyncio.timeout(60):
        while indexers[0].process.is_running:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await database.close()


async def test_a_wake_up_is_a_task_of_celerys(
    redis_url: str, migrated_sqlite_url: str, tmp_path: Path, indexers: list[IndexerProcess]
) -> None:
    ground = IndexerGround(redis_url, migrated_sqlite_url, tmp_path)
    database = open_database(ground.settings.ledger)
    collection = await new_collection(database, ground)
    posted = await post(database, collection, "a.md", "Wake up.")
    async with open_index_waker(ground.settings.broker) as waker:
        waker.wake(collection.id)
    indexers.append(IndexerProcess(ground, by_celery=True).start())
    await until_done(database, posted, indexers[0])
    await until_empty(redis_url)
    await database.close()


async def new_collection(database: Database, ground: IndexerGround) -> Collection:
    async with open_encoders(ground.settings.embeddings) as encoders:
        name = generation_name(encoders.text.name, encoders.code.name)
    catalogue = CollectionCatalogue(database, SystemClock())
    return await catalogue.create(TENANT, name="notes", generation=name)


async def post(database: Database, collection: Collection, path: str, text: str) -> Document:
    body = text.encode()
    digest = hashlib.sha256(body).hexdigest()
    new = NewDocument(path=path, digest=digest, size_bytes=len(body), body=body)
    return await DocumentPosts(database, SystemClock()).put(TENANT, collection.id, new)


async def until_empty(redis_url: str) -> None:
    """Until every wake-up was taken and acknowledged."""
    redis = Redis.from_url(redis_url)
    async with asyncio.timeout(60):
        while await redis.llen("index") or await redis.hlen("unacked"):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await redis.aclose()


async def until_done(database: Database, posted: Document, indexer: IndexerProcess) -> Document:
    documents = Documents(database)
    try:
        async with asyncio.timeout(60):
            while True:
                found = await documents.find(TENANT, posted.collection_id, posted.id)
                if found.state not in (DocumentState.PENDING, DocumentState.IN_PROGRESS):
                    return found
                await asyncio.sleep(0.05)
    except TimeoutError:
        pytest.fail(f"It did not come to an end:\n{indexer.log.read_text()[-4000:]}")
