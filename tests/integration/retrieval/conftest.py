"""One store and one encoder for all tests; a ledger and a tenant for each."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from shared.clock import ManualClock
from shared.embeddings.encoder import DualEncoders
from shared.embeddings.onnx import OnnxEncoder
from shared.identifiers import new_id
from shared.index.collections.collection import Collection
from shared.persistence.engine import open_database
from shared.search.embedded.embedded_store import EmbeddedStore
from shared.search.vector_store import VectorStore
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings

from .rerank_server import RerankServer, rerank_server
from .reranked_asking import QUESTION, SHARES
from .searched_index import SearchedIndex


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def store(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[VectorStore]:
    store = EmbeddedStore(tmp_path_factory.mktemp("index"))
    yield store
    await store.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def encoders() -> AsyncIterator[DualEncoders]:
    encoder = OnnxEncoder(threads=1)
    await encoder.warm_up()
    yield DualEncoders(encoder, encoder)
    await encoder.close()


@pytest_asyncio.fixture(loop_scope="session")
async def index(
    store: VectorStore, encoders: DualEncoders, migrated_sqlite_url: str
) -> AsyncIterator[SearchedIndex]:
    database = open_database(LedgerSettings(url=ServerUrl(migrated_sqlite_url)))
    yield SearchedIndex(new_id("ten"), database, ManualClock(), store, encoders)
    await database.close()


@pytest_asyncio.fixture(loop_scope="session")
async def server() -> AsyncIterator[RerankServer]:
    async with rerank_server() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def docs(index: SearchedIndex) -> Collection:
    """Six that the question finds; the words that each shares with it are in its name."""
    collection = await index.collection()
    for path, words in {**SHARES, "four": f"{QUESTION} not", "zero": "salty seas"}.items():
        await index.put(collection, f"{path}.md", f"Water of oceans. {words}")
    return collection
