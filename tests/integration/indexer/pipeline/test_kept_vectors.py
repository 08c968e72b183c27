"""Vectors of texts are kept while a document has them, and long after that."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from shared.embeddings.encoder import DualEncoders
from shared.index.embedding_cache import EmbeddingCache
from shared.index.tables import chunk, embedding
from shared.persistence.statements import reading, transaction
from tests.integration.indexer.pipeline.indexing_stage import CountingEncoder, IndexingStage
from tests.integration.indexer.pipeline.test_generations import LaterClock
from tests.integration.indexer.pipeline.test_indexing import functions, remove

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_what_documents_say_stays_for_ever(stage: IndexingStage) -> None:
    encoders = DualEncoders(stage.encoder, CountingEncoder(name="counting-code/1"))
    stage = stage.beside(encoders=encoders)
    stage.write("a.py", functions(range(3)))
    stage.write("a.md", "Mallards.\n")
    await stage.offer()
    await until_it_has_that_generation(stage)
    had = await kept(stage)
    assert len(had) == 7, "three functions for two encoders, and a page"
    for nth in range(1, 5):
        await sweep(stage, days=nth * 31)
    assert await kept(stage) == had


async def test_what_no_document_says_any_more_goes_a_month_later(stage: IndexingStage) -> None:
    stage.write("a.md", "Mallards.\n")
    await stage.offer()
    await stage.index()
    await remove(stage, "a.md")
    await stage.until_indexed()
    await sweep(stage, days=31)
    assert len(await kept(stage)) == 1
    await sweep(stage, days=62)
    assert await kept(stage) == {}


async def test_what_is_swept_while_a_job_finds_it_is_embedded_again(
    stage: IndexingStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.write("a.md", "Mallards.\n")
    await stage.offer()
    await stage.index()
    await remove(stage, "a.md")
    await stage.until_indexed()
    had = await kept(stage)
    await sweep(stage, days=31)
    touched = EmbeddingCache._touched

    async def swept_before(cache: EmbeddingCache, *told: Any) -> set[str]:
        await sweep(stage, days=62)
        assert await kept(stage) == {}
        return await touched(cache, *told)

    monkeypatch.setattr(EmbeddingCache, "_touched", swept_before)
    stage.write("b.md", "Mallards.\n")
    await stage.indexed()
    await stage.offer("job_2")
    await stage.index()
    assert await stage.indexed() == ["Mallards."]
    assert await kept(stage) == had
    await stage.adds_up()


async def test_chunks_without_digests_get_them_when_their_document_is_cut_again(
    stage: IndexingStage,
) -> None:
    stage.write("a.py", functions(range(10)))
    await stage.offer()
    await stage.index()
    had = await digests(stage)
    async with transaction(stage.ground.database.durable) as connection:
        await connection.execute(update(chunk).values(text_digest=None, code_digest=None))
    await stage.indexed()

    stage.write("a.py", functions(range(11)))
    await stage.offer("job_2")
    await stage.index()
    assert len(await stage.indexed()) == 2
    assert had < await digests(stage)
    assert None not in {each for some in await digests(stage) for each in some}
    await stage.adds_up()


async def until_it_has_that_generation(stage: IndexingStage) -> None:
    await stage.machinery.generations()
    await stage.until_indexed()
    stage.machinery.generations._swap_at.clear()
    await stage.machinery.generations()


async def sweep(stage: IndexingStage, *, days: int) -> None:
    """What an indexer does so many days from now."""
    await stage.beside(clock=LaterClock(timedelta(days=days))).machinery.embedding_sweeps()


async def kept(stage: IndexingStage) -> dict[tuple[str, str], bytes]:
    async with reading(stage.ground.database.relaxed) as connection:
        rows = (await connection.execute(select(embedding))).all()
    return {(row.encoder, row.digest): row.vector for row in rows}


async def digests(stage: IndexingStage) -> set[tuple[str, str]]:
    rows = (await stage.chunk_rows()).values()
    return {(row.text_digest, row.code_digest) for row in rows}
