"""What is current, what is retired, and what goes when."""

from __future__ import annotations

import pytest

from shared.errors import NotFound
from shared.index.chunk import CachedVector, FinishedDocument, StoredChunk
from shared.index.document import OfferedDocument, document_id
from shared.index.states import DocumentState

from .index_ledger import GENERATION, LEASE, SOURCE, TENANT, IndexLedger, chunks_of, key_of


async def test_a_finished_document_has_the_chunks_that_were_planned(index: IndexLedger) -> None:
    done = await index.index("a.md", "x", "y", "z")
    assert (done.state, done.passages, done.generation) == (
        DocumentState.COMPLETED,
        3,
        GENERATION,
    )
    assert (done.due_at, done.claimed_by) == (None, None)
    assert done.indexed_at == index.clock.now()
    current = await index.indexing.current(done, GENERATION)
    assert [*current.values()] == chunks_of(done, "xyz")
    assert await index.retired.retiring(limit=10) == []
    assert await index.edition() == 2


async def test_what_a_new_version_lacks_is_retired_and_then_forgotten(index: IndexLedger) -> None:
    await index.index("a.md", "x", "y", size=1)
    await index.offer("a.md", size=2)
    held = await index.one()
    assert await index.plan(held, "z")
    # A worker died after this: the stores have all three, and nobody forgets them.
    assert await index.current(held) == {"x", "y"}
    assert await index.finish(held, "y", "z")
    assert await index.current(held) == {"y", "z"}
    (gone,) = await index.retire()
    assert (key_of(gone.point_id), gone.ver) == ("x", held.ver)
    assert await index.chunks() == 2


async def test_what_an_attempt_planned_that_died_is_retired_with_the_next(
    index: IndexLedger,
) -> None:
    await index.offer("a.md")
    assert await index.plan(await index.one(), "x", "y")
    index.clock.advance(LEASE)
    # The file changed since, and no scan has seen it.
    held = await index.one()
    assert await index.plan(held, "y", "z")
    assert await index.finish(held, "y", "z")
    assert [key_of(each.point_id) for each in await index.retire()] == ["x"]
    assert await index.current(held) == {"y", "z"}


async def test_a_chunk_that_comes_back_is_not_forgotten(index: IndexLedger) -> None:
    await index.index("a.md", "x", size=1)
    await index.index("a.md", "y", size=2)
    retired = await index.retired.retiring(limit=10)
    await index.index("a.md", "x", size=3)
    await index.retired.forget(retired)
    assert await index.current(await index.find("a.md")) == {"x"}
    again = await index.find("a.md")
    assert again.ver > retired[0].ver


async def test_a_chunk_that_was_about_to_move_is_not_current_after_a_death(
    index: IndexLedger,
) -> None:
    before = await index.index("a.md", "x", "y", size=1)
    await index.offer("a.md", size=2)
    held = await index.one()
    assert await index.indexing.plan(GENERATION, [(held, chunks_of(held, "yx")[1:])])
    index.clock.advance(LEASE + 1)
    again = await index.one("worker-2")
    assert again.digest is None
    assert before.digest is not None
    assert await index.current(again) == {"y"}


async def test_the_same_content_is_finished_without_a_trace(index: IndexLedger) -> None:
    before = await index.index("a.md", "x", size=1)
    await index.offer("a.md", size=1, job="job_2")
    assert await index.claim() == []
    seen = [OfferedDocument("a.md", 1, modified_ns=2)]
    place = (TENANT, index.collection.id, SOURCE)
    assert (await index.offers.offer(*place, seen, job_id="job_3")).changed == 1
    held = await index.one()
    assert held.digest == before.digest
    assert await index.finish(held, "x", chunks=None)
    after = await index.find("a.md")
    assert (after.passages, after.modified_ns) == (1, 2)
    assert await index.current(after) == {"x"}
    assert await index.edition() == 2
    # A digest that the source knows tells it unread.
    seen = [OfferedDocument("a.md", 1, modified_ns=3, digest=before.digest)]
    assert (await index.offers.offer(*place, seen, job_id="job_4")).unchanged == 1


@pytest.mark.parametrize("way", ["fail", "skip"])
async def test_what_is_not_indexed_any_more_goes_from_the_stores(
    index: IndexLedger, way: str
) -> None:
    await index.index("a.md", "x", size=1)
    await index.offer("a.md", size=2)
    held = await index.one()
    assert await index.plan(held, "y")
    assert await getattr(index.indexing, way)(held, "broken", "It is\0 broken.")
    ended = await index.find("a.md")
    assert (ended.error_code, ended.reason, ended.passages) == ("broken", "It is broken.", 0)
    assert {key_of(each.point_id) for each in await index.retire()} == {"x", "y"}
    assert await index.chunks() == 0
    assert await index.edition() == 3
    # It is the same as it was: nobody tries again.
    assert (await index.offer("a.md", size=2, job="job_2")).unchanged == 1


async def test_a_chunk_that_was_never_planned_is_refused(index: IndexLedger) -> None:
    await index.offer("a.md")
    held = await index.one()
    assert await index.plan(held, "x")
    with pytest.raises(ValueError, match="1 chunks were stored and never planned"):
        await index.finish(held, "x", "y")
    assert (await index.find("a.md")).state is DocumentState.IN_PROGRESS


async def test_vectors_are_kept_with_the_plan_and_stay(index: IndexLedger) -> None:
    await index.offer("a.md")
    held = await index.one()
    vectors = [CachedVector(TENANT, "mini", f"digest{n}", bytes([n])) for n in range(3)]
    assert await index.indexing.plan(GENERATION, [(held, [])], vectors)
    other = [CachedVector(TENANT, "mini", "digest1", b"other")]
    assert await index.indexing.plan(GENERATION, [(held, [])], other)
    digests = [f"digest{n}" for n in range(1200)]
    assert await index.cache.find(TENANT, "mini", digests) == {
        f"digest{n}": bytes([n]) for n in range(3)
    }
    assert await index.cache.find("ten_2", "mini", digests) == {}
    assert await index.cache.find(TENANT, "other", digests) == {}


async def test_a_large_document_is_written_in_groups(index: IndexLedger) -> None:
    keys = [f"k{n}" for n in range(1234)]
    done = await index.index("a.md", *keys, size=1)
    assert done.passages == 1234
    await index.index("a.md", *keys[1:], size=2)
    assert [key_of(each.point_id) for each in await index.retire()] == ["k0"]


async def test_a_document_of_another_tenant_is_not_there(index: IndexLedger) -> None:
    await index.index("a.md", "x")
    seen = [OfferedDocument("a.md", 9)]
    with pytest.raises(NotFound, match="There is no vector store"):
        await index.offers.offer("ten_2", index.collection.id, SOURCE, seen, job_id="job_9")
    id_ = document_id(index.collection.id, SOURCE, "a.md")
    with pytest.raises(NotFound, match="There is no document"):
        await index.documents.find("ten_2", index.collection.id, id_)
    assert await index.documents.list("ten_2", index.collection.id, limit=9) == []


async def test_finish_with_no_chunk_at_all(index: IndexLedger) -> None:
    await index.offer("empty.md")
    held = await index.one()
    done = FinishedDocument(generation=GENERATION, digest="d", size_bytes=0, chunks=())
    assert await index.indexing.finish([(held, done)])
    assert (await index.find("empty.md")).is_searchable


async def test_of_several_those_are_written_that_are_held(index: IndexLedger) -> None:
    await index.offer("a.md", "b.md", "c.md")
    held = {each.path: each for each in await index.claim()}
    await index.offer("b.md", size=2, job="job_2")
    planned = [(each, chunks_of(each, "xy")) for each in held.values()]
    known = {(each.collection_id, each.id) for path, each in held.items() if path != "b.md"}
    assert await index.indexing.plan(GENERATION, planned) == known
    assert await index.chunks() == 4
    finished = [(each, _done(chunks)) for each, chunks in planned]
    edition = await index.edition()
    assert await index.indexing.finish(finished) == known
    states = [(await index.find(path)).state for path in ("a.md", "b.md", "c.md")]
    assert states == [DocumentState.COMPLETED, DocumentState.PENDING, DocumentState.COMPLETED]
    assert await index.edition() == edition + 1


async def test_of_several_with_a_wrong_one_none_is_finished(index: IndexLedger) -> None:
    await index.offer("a.md", "b.md")
    held = await index.claim()
    await index.indexing.plan(GENERATION, [(held[0], chunks_of(held[0], "x"))])
    finished = [(each, _done(chunks_of(each, "x"))) for each in held]
    with pytest.raises(ValueError, match="1 chunks were stored and never planned"):
        await index.indexing.finish(finished)
    assert {(await index.find(each.path)).state for each in held} == {DocumentState.IN_PROGRESS}


def _done(chunks: list[StoredChunk]) -> FinishedDocument:
    ids = tuple(each.point_id for each in chunks)
    return FinishedDocument(generation=GENERATION, digest="d", size_bytes=1, chunks=ids)
