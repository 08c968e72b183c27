"""Collections: made, found by id and by name, listed, changed, used and deleted."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.errors import Conflict, NotFound
from shared.index.collections.figures import CollectionFigures, DocumentCounts, Freshness
from shared.index.states import DocumentState

from .index_ledger import GENERATION, TENANT, IndexLedger


async def test_a_collection_is_found_by_id_and_by_name(index: IndexLedger) -> None:
    made = index.collection
    assert await index.catalogue.find(TENANT, made.id) == made
    assert await index.catalogue.named(TENANT, made.id) == made
    assert await index.catalogue.named(TENANT, "code") == made
    for call in (index.catalogue.find, index.catalogue.named):
        with pytest.raises(NotFound, match="There is no vector store"):
            await call("ten_2", made.id)


async def test_a_name_that_several_have_is_no_name(index: IndexLedger) -> None:
    other = await index.catalogue.create(TENANT, name="code", generation=GENERATION)
    with pytest.raises(Conflict, match=other.id):
        await index.catalogue.named(TENANT, "code")
    assert await index.catalogue.named(TENANT, other.id) == other


async def test_collections_are_listed_in_pages_both_ways(index: IndexLedger) -> None:
    await index.catalogue.delete(TENANT, index.collection.id)
    # Ids of one millisecond are in any order.
    made = sorted(
        [
            (await index.catalogue.create(TENANT, name=f"c{n}", generation=GENERATION)).id
            for n in range(5)
        ]
    )
    newest = made[::-1]

    async def listed(**page: object) -> list[str]:
        return [each.id for each in await index.catalogue.list(TENANT, **page)]  # type: ignore[arg-type]

    assert await listed(limit=9) == newest
    assert await listed(limit=2, after=newest[1]) == newest[2:4]
    assert await listed(limit=2, before=newest[4]) == newest[2:4]
    assert await listed(limit=2, before=made[4], newest_first=False) == made[2:4]
    assert await listed(limit=9, newest_first=False, after=made[3]) == made[4:]
    assert await index.catalogue.list("ten_2", limit=9) == []


async def test_a_collection_is_changed(index: IndexLedger) -> None:
    id_ = index.collection.id
    index.clock.advance(60)
    changed = await index.catalogue.change(TENANT, id_, notes={"a": "b"}, life_days=3)
    assert (changed.name, changed.notes, changed.life_days) == ("code", {"a": "b"}, 3)
    assert changed.expires_at == index.clock.now() + timedelta(days=3)
    assert await index.catalogue.find(TENANT, id_) == changed
    again = await index.catalogue.change(TENANT, id_, name="other", life_days=None)
    assert (again.name, again.notes, again.expires_at) == ("other", {"a": "b"}, None)
    with pytest.raises(NotFound):
        await index.catalogue.change("ten_2", id_, name="mine")


async def test_a_life_begins_anew_with_each_use(index: IndexLedger) -> None:
    made = await index.catalogue.create(TENANT, name="n", generation=GENERATION, life_days=1)
    index.clock.advance(3600)
    await index.catalogue.touch("ten_2", [made.id])
    assert await index.catalogue.find(TENANT, made.id) == made
    await index.catalogue.touch(TENANT, [made.id, "vs_none"])
    used = await index.catalogue.find(TENANT, made.id)
    assert used.last_active_at == index.clock.now()
    assert used.expires_at == index.clock.now() + timedelta(days=1)
    index.clock.advance(10)
    await index.catalogue.touch(TENANT, [made.id])
    assert await index.catalogue.find(TENANT, made.id) == used


async def test_a_deleted_collection_is_gone_at_once(index: IndexLedger) -> None:
    assert not await index.catalogue.delete("ten_2", index.collection.id)
    assert await index.catalogue.delete(TENANT, index.collection.id)
    assert not await index.catalogue.delete(TENANT, index.collection.id)
    with pytest.raises(NotFound):
        await index.catalogue.find(TENANT, index.collection.id)
    with pytest.raises(NotFound):
        await index.catalogue.named(TENANT, "code")
    with pytest.raises(NotFound):
        await index.offer("a.md")


async def test_what_is_in_a_collection_adds_up(index: IndexLedger) -> None:
    figures = CollectionFigures(index.database)
    id_ = index.collection.id
    assert await figures.counts(TENANT, [id_]) == {id_: DocumentCounts()}
    await index.index("a.md", "x", "y")
    await index.index("b.md", "x")
    await index.offer("c.md")
    await index.indexing.skip(await index.one(), "empty", "It is empty.")
    await index.offer("d.md", "e.md", "f.md")
    await index.indexing.fail(await index.one(), "broken", "It is broken.")
    await index.one()
    (counts,) = (await figures.counts(TENANT, [id_])).values()
    assert counts == DocumentCounts(in_progress=2, completed=2, failed=1, skipped=1, passages=3)
    assert counts.total == 6
    assert await figures.counts("ten_2", [id_]) == {id_: DocumentCounts()}
    fresh = await figures.freshness(TENANT, [id_])
    assert fresh == {id_: Freshness(waiting=2, generation=GENERATION, edition=5)}
    assert await figures.freshness("ten_2", [id_]) == {}


async def test_documents_are_listed_in_pages_and_by_state(index: IndexLedger) -> None:
    place = (TENANT, index.collection.id)
    await index.offer(*(f"{n}.md" for n in range(6)))
    await index.claim(2)
    await index.indexing.fail(await index.one(), "broken", "It is broken.")
    all_ = await index.documents.list(*place, newest_first=False, limit=9)
    ids = [each.id for each in all_]
    assert ids == sorted(ids)
    assert len(ids) == 6
    assert await index.documents.list(*place, limit=9) == all_[::-1]
    assert await index.documents.list(*place, after=ids[3], limit=2) == [all_[2], all_[1]]
    waits = [each for each in all_ if each.state is not DocumentState.FAILED]
    states = [DocumentState.PENDING, DocumentState.IN_PROGRESS]
    page = await index.documents.list(*place, states=states, newest_first=False, limit=4)
    assert page == waits[:4]
    assert await index.documents.list(*place, source="folder:/other", limit=9) == []
    assert len(await index.documents.list(*place, batch_id=None, limit=9)) == 6
