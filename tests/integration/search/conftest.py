"""A server that checks what it is sent, and the store that asks it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from shared.search.keyword.meilisearch_store import MeilisearchStore
from shared.search.qdrant.qdrant_store import QdrantStore
from tests.integration.search.described_server import serving
from tests.integration.search.meilisearch_stub import MeilisearchStub, meilisearch_contract
from tests.integration.search.qdrant_stub import (
    QdrantStub,
    qdrant_contract,
)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """In memory where there is such: a graph is many small files, each of them synced."""
    memory = Path("/dev/shm")
    with TemporaryDirectory(dir=memory if memory.is_dir() else tmp_path) as folder:
        yield Path(folder)


@pytest.fixture
async def stub() -> AsyncIterator[QdrantStub]:
    """Fails the test where anything that was sent is not as described."""
    stub = QdrantStub(qdrant_contract(), version="1.19.2")
    yield stub
    assert stub.faults == []


@pytest.fixture
async def store(stub: QdrantStub) -> AsyncIterator[QdrantStore]:
    async with serving(stub) as url:
        store = QdrantStore(url, deadline_seconds=1)
        yield store
        await store.close()


@pytest.fixture
async def meilisearch() -> AsyncIterator[MeilisearchStub]:
    """Fails the test where anything that was sent, or answered here, is not as described."""
    stub = MeilisearchStub(meilisearch_contract())
    yield stub
    assert stub.faults == []


@pytest.fixture
async def words(meilisearch: MeilisearchStub) -> AsyncIterator[MeilisearchStore]:
    async with serving(meilisearch) as url:
        store = MeilisearchStore(url, deadline_seconds=1, task_seconds=2)
        yield store
        await store.close()
