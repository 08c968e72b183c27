"""A leg that is slow or dead is named, and the others answer in time."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from msgspec.structs import replace

from shared.embeddings.encoder import DualEncoders
from shared.embeddings.onnx import OnnxEncoder
from shared.retrieval.legs import LegName
from shared.retrieval.search import SearchUnavailable
from shared.retrieval.search_request import SearchRequest
from shared.retrieval.search_result import SearchResult
from shared.search.embedded.embedded_store import EmbeddedStore
from shared.search.embedded.reaching import LOCK
from shared.search.keyword.meilisearch_store import MeilisearchStore
from tests.integration.patience import PATIENT_SEARCH

from .searched_index import SearchedIndex, paths

pytestmark = pytest.mark.asyncio(loop_scope="session")

LEASE = "# Leases\n\nA worker renews its lease every ten seconds."
HASTY_STORE = replace(PATIENT_SEARCH, store_timeout_seconds=0.5)
HASTY_KEYWORD = replace(PATIENT_SEARCH, keyword_timeout_seconds=0.3)


@pytest_asyncio.fixture(loop_scope="session")
async def silent_server() -> AsyncIterator[str]:
    """It takes every connection and never says a word."""
    server = await asyncio.start_server(_say_nothing, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.close()


async def _say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while await reader.read(1024):
        pass
    writer.close()


def request_of(index: SearchedIndex, docs: object, text: str) -> SearchRequest:
    return SearchRequest(tenant_id=index.tenant, collections=(docs,), text=text)  # type: ignore[arg-type]


def dropped(result: SearchResult) -> dict[LegName, str | None]:
    return {each.name: each.dropped for each in result.dropped}


async def test_a_keyword_server_that_hangs_costs_its_deadline_and_no_hit(
    index: SearchedIndex, silent_server: str
) -> None:
    docs = await index.collection()
    await index.put(docs, "lease.md", LEASE)
    keyword = MeilisearchStore(silent_server, deadline_seconds=600)
    search = index.search(keyword=keyword, settings=HASTY_KEYWORD)
    begun = time.monotonic()

    found = await search.search(request_of(index, await index.again(docs), "lease renewal"))

    assert time.monotonic() - begun < 60
    assert paths(found) == ["lease.md"]
    assert dropped(found) == {LegName.KEYWORD: "timeout"}
    assert (
        b'search_legs_dropped_total{leg="keyword",reason="timeout"} 1.0' in index.metrics.render()
    )
    await keyword.close()


async def test_a_keyword_server_that_is_away_is_named(index: SearchedIndex) -> None:
    docs = await index.collection()
    await index.put(docs, "lease.md", LEASE)
    keyword = MeilisearchStore("http://127.0.0.1:1", deadline_seconds=5)

    found = await index.search(keyword=keyword).search(
        request_of(index, await index.again(docs), "lease renewal")
    )

    assert paths(found) == ["lease.md"]
    assert dropped(found) == {LegName.KEYWORD: "store_unavailable"}
    await keyword.close()


async def test_without_an_encoder_words_answer(index: SearchedIndex) -> None:
    docs = await index.collection()
    await index.put(docs, "lease.md", LEASE)
    closed = OnnxEncoder(threads=1)
    await closed.close()
    search = index.search(encoders=DualEncoders(closed, closed))

    found = await search.search(request_of(index, await index.again(docs), "who renews a lease?"))

    assert paths(found) == ["lease.md"]
    assert dropped(found) == {LegName.TEXT: "encoder_unavailable"}


async def test_a_store_that_hangs_is_named_in_time_and_nothing_is_made_up(
    index: SearchedIndex, tmp_path: Path
) -> None:
    store = EmbeddedStore(tmp_path / "own", deadline_seconds=600)
    docs = await index.collection()
    await store.generations()
    owner = int((tmp_path / "own" / LOCK).read_text())
    os.kill(owner, signal.SIGSTOP)
    try:
        begun = time.monotonic()
        with pytest.raises(SearchUnavailable, match="text: timeout, words: timeout"):
            await index.search(store=store, settings=HASTY_STORE).search(
                request_of(index, docs, "who renews a lease?")
            )
        assert time.monotonic() - begun < 60
        told = index.metrics.render()
        assert b'search_legs_dropped_total{leg="words",reason="timeout"} 1.0' in told
    finally:
        os.kill(owner, signal.SIGCONT)
    await store.close()
