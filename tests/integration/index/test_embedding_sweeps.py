"""Vectors go when no chunk has named them for long and nobody asked for them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy import select, update

from shared.index.chunk import CachedVector
from shared.index.embedding_cache import EVERYBODY, EmbeddingCache
from shared.index.embedding_sweeps import EmbeddingSweeps
from shared.index.tables import embedding
from shared.persistence.statements import reading, transaction

from .index_ledger import GENERATION, TENANT, IndexLedger, chunks_of

DAYS = 30
OTHER = "ten_2"


async def test_what_no_chunk_names_goes_when_it_was_looked_for_twice(index: IndexLedger) -> None:
    await keep(index, "a.md", names=[("text", "code")], vectors=["text", "code", "gone", "found"])
    await sweep(index, after=1)
    await sweep(index, after=DAYS)
    assert await kept(index) == {"text", "code", "gone", "found"}, "seen for the first time"
    await find(index, "found")
    await sweep(index, after=DAYS - 1)
    assert await kept(index) == {"text", "code", "gone", "found"}
    await sweep(index, after=1)
    assert await kept(index) == {"text", "code", "found"}
    await sweep(index, after=DAYS)
    assert await kept(index) == {"text", "code"}


async def test_vectors_stay_as_long_after_their_last_chunk_as_is_set(index: IndexLedger) -> None:
    await keep(index, "a.md", names=[("text", None)], vectors=["text"])
    for _ in range(5):
        await sweep(index, after=DAYS)
    await keep(index, "a.md", names=[], vectors=[], size=2)
    await index.retire()
    await sweep(index, after=DAYS)
    await sweep(index, after=DAYS - 1)
    assert await kept(index) == {"text"}
    await sweep(index, after=1)
    assert await kept(index) == set()


async def test_a_text_that_came_again_is_not_what_nobody_named(index: IndexLedger) -> None:
    await keep(index, "a.md", names=[], vectors=["text"])
    await sweep(index, after=DAYS)
    index.clock.advance(days(DAYS - 1))
    assert await find(index, "text") == {"text"}
    await sweep(index, after=1)
    await sweep(index, after=1)
    assert await kept(index) == {"text"}


async def test_nothing_goes_of_whom_has_chunks_without_digests(index: IndexLedger) -> None:
    await keep(index, "old.md", names=[(None, None)], vectors=["mine"])
    await keep(index, "new.md", names=[], vectors=["his"], owner=OTHER)
    await keep(index, "new.md", names=[], vectors=["shared"], owner=EVERYBODY, size=2)
    for _ in range(3):
        await sweep(index, after=DAYS)
    assert await kept(index) == {"mine", "shared"}
    await keep(index, "old.md", names=[("mine", None)], vectors=[], size=2)
    for _ in range(2):
        await sweep(index, after=DAYS)
    assert await kept(index) == {"mine"}


async def test_vectors_of_a_version_that_swept_none_are_kept_as_long(index: IndexLedger) -> None:
    await keep(index, "a.md", names=[], vectors=[f"v{nth}" for nth in range(5)])
    async with transaction(index.database.durable) as connection:
        await connection.execute(update(embedding).values(seen_at=None, is_unnamed=None))
    assert await sweeps_of(index).sweep(limit=3) == 3
    assert await sweeps_of(index).sweep(limit=3) == 2
    assert await sweeps_of(index).sweep(limit=3) == 0
    await sweep(index, after=DAYS - 1)
    assert len(await kept(index)) == 5
    await sweep(index, after=1)
    assert await kept(index) == set()


async def test_what_is_swept_while_it_is_found_is_not_found(
    index: IndexLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    await keep(index, "a.md", names=[("named", None)], vectors=["named", "gone"])
    await sweep(index, after=DAYS)
    index.clock.advance(days(DAYS))
    touched = EmbeddingCache._touched

    async def swept_before(cache: EmbeddingCache, *told: Any) -> set[str]:
        await sweeps_of(index)()
        return await touched(cache, *told)

    monkeypatch.setattr(EmbeddingCache, "_touched", swept_before)
    assert await find(index, "named", "gone") == {"named"}
    assert await kept(index) == {"named"}


async def keep(
    index: IndexLedger,
    path: str,
    *,
    names: Sequence[tuple[str | None, str | None]],
    vectors: Sequence[str],
    owner: str = TENANT,
    size: int = 1,
) -> None:
    """A document whose chunks name these texts, indexed with these vectors."""
    await index.offer(path, size=size)
    held = await index.one()
    keys = [f"k{nth}" for nth in range(len(names))]
    chunks = [
        msgspec.structs.replace(each, text_digest=text, code_digest=code)
        for each, (text, code) in zip(chunks_of(held, keys), names, strict=True)
    ]
    made = [CachedVector(owner, "mini", digest, b"vector") for digest in vectors]
    assert await index.indexing.plan(GENERATION, [(held, chunks)], made)
    assert await index.finish(held, *keys)


def sweeps_of(index: IndexLedger) -> EmbeddingSweeps:
    return EmbeddingSweeps(index.database, index.clock, days=DAYS)


async def sweep(index: IndexLedger, *, after: int) -> None:
    """What is done so many days later."""
    index.clock.advance(days(after))
    await sweeps_of(index)()


async def find(index: IndexLedger, *digests: str) -> set[str]:
    return {*await index.cache.find(TENANT, "mini", digests)}


async def kept(index: IndexLedger) -> set[str]:
    async with reading(index.database.relaxed) as connection:
        return {*(await connection.execute(select(embedding.c.digest))).scalars()}


def days(number: int) -> float:
    return timedelta(days=number).total_seconds()
