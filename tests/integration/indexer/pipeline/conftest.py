"""An indexer on SQLite and the embedded engine: each test has a ledger and a tenant of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from indexer.reading.document_reader import DocumentReader
from shared.persistence.engine import open_database
from shared.search.embedded.embedded_store import EmbeddedStore
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings
from tests.integration.indexer.pipeline.indexing_stage import IndexingStage, open_stage
from tests.integration.indexer.pipeline.pausing_store import PausingStore


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def engine(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedStore]:
    store = EmbeddedStore(tmp_path_factory.mktemp("index"))
    yield store
    await store.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def reader() -> AsyncIterator[DocumentReader]:
    reader = DocumentReader(processes=1)
    yield reader
    await reader.close()


@pytest.fixture
def store(engine: EmbeddedStore) -> PausingStore:
    return PausingStore(engine)


@pytest_asyncio.fixture(loop_scope="session")
async def stage(
    migrated_sqlite_url: str, tmp_path: Path, store: PausingStore, reader: DocumentReader
) -> AsyncIterator[IndexingStage]:
    database = open_database(LedgerSettings(url=ServerUrl(migrated_sqlite_url)))
    yield await open_stage(database, tmp_path / "source", store, reader)
    await database.close()
