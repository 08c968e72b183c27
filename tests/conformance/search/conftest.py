"""Every store of passages, each made once for all tests: they take tenants of their own."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from shared.search.embedded.embedded_store import EmbeddedStore
from shared.search.point import Scope
from shared.search.qdrant.qdrant_store import QdrantStore
from shared.search.vector_store import VectorStore
from tests.conformance.search.passages import GENERATION, new_scope

QDRANT = "FOREBAY_TEST_QDRANT_URL"  # of any server; before 1.20 words are sparse vectors
STORES = ["embedded", "qdrant"] if QDRANT in os.environ else ["embedded"]


@pytest_asyncio.fixture(params=STORES, scope="session", loop_scope="session")
async def store(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[VectorStore]:
    """An open store that has the generation of these tests."""
    store = _made(request.param, tmp_path_factory.mktemp("index"))
    await store.create(GENERATION)
    yield store
    await store.drop(GENERATION.name)
    await store.close()


def _made(engine: str, folder: Path) -> VectorStore:
    if engine == "embedded":
        return EmbeddedStore(folder)
    return QdrantStore(os.environ[QDRANT])


@pytest.fixture
def scope() -> Scope:
    """A tenant that has nothing yet."""
    return new_scope()
