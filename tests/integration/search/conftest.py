"""A server that checks what it is sent, and the store that asks it."""

from __future__ import annotations

import asyncio
import os
import select
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from shared.search.embedded.reaching import LOCK
from shared.search.keyword.meilisearch_store import MeilisearchStore
from shared.search.qdrant.qdrant_store import QdrantStore
from tests.integration.search.described_server import serving
from tests.integration.search.meilisearch_stub import MeilisearchStub, meilisearch_contract
from tests.integration.search.qdrant_stub import (
    QdrantStub,
    qdrant_contract,
)


def owner_of(folder: Path) -> int:
    """The process that has the index in this folder."""
    return int((folder / LOCK).read_text())


async def gone(process: int) -> None:
    """Returns when that process has ended."""
    with suppress(ProcessLookupError), open(os.pidfd_open(process), "rb") as handle:
        ended, _, _ = await asyncio.to_thread(select.select, [handle], [], [], 60)
        assert ended


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
async def qdrant_url(stub: QdrantStub) -> AsyncIterator[str]:
    async with serving(stub) as url:
        yield url


@pytest.fixture
async def store(qdrant_url: str) -> AsyncIterator[QdrantStore]:
    store = QdrantStore(qdrant_url, deadline_seconds=60)
    yield store
    await store.close()


@pytest.fixture
async def meilisearch() -> AsyncIterator[MeilisearchStub]:
    """Fails the test where anything that was sent, or answered here, is not as described."""
    stub = MeilisearchStub(meilisearch_contract())
    yield stub
    assert stub.faults == []


@pytest.fixture
async def meilisearch_url(meilisearch: MeilisearchStub) -> AsyncIterator[str]:
    async with serving(meilisearch) as url:
        yield url


@pytest.fixture
async def words(meilisearch_url: str) -> AsyncIterator[MeilisearchStore]:
    store = MeilisearchStore(meilisearch_url, deadline_seconds=60, task_seconds=60)
    yield store
    await store.close()
