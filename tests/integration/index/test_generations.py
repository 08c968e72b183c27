"""A generation built beside the one that is searched, swapped in, abandoned, and taken down."""

from __future__ import annotations

import pytest

from shared.errors import Conflict, NotFound
from shared.index.collection_sweeps import CollectionSweeps
from shared.index.collections.generations import SEARCHED_STILL, CollectionGenerations
from shared.index.collections.named_generations import NamedGenerations
from shared.index.documents.changing import DocumentChanges
from shared.index.documents.rebuilding import Rebuilding
from shared.index.states import DocumentState

from .index_ledger import GENERATION, LEASE, TENANT, IndexLedger

NEXT = "g-000000000002"


class Builder:
    """Builds the next generation of the one collection."""

    def __init__(self, index: IndexLedger) -> None:
        self.index = index
        self.generations = CollectionGenerations(index.database, index.clock)
        self.named = NamedGenerations(index.database)
        self.rebuilding = Rebuilding(index.database, index.clock)
        self.sweeps = CollectionSweeps(index.database, index.clock)
        self.place = (TENANT, index.collection.id)

    async def offer_all(self) -> int:
        offered, after = 0, None
        while True:
            page = await self.rebuilding.offer_next(*self.place, after=after, limit=2)
            offered, after = offered + len(page.ids), page.following
            if after is None:
                return offered

    async def build(self, *keys: str, generation: str = NEXT) -> None:
        for held in await self.index.claim(100):
            assert await self.index.plan(held, *keys, generation=generation)
            assert await self.index.finish(held, *keys, generation=generation)

    async def sweep(self) -> None:
        self.index.clock.advance(SEARCHED_STILL.total_seconds())
        while await self.sweeps.take_down(limit=2):
            pass


@pytest.fixture
def builder(index: IndexLedger) -> Builder:
    return Builder(index)


async def test_a_generation_is_built_beside_the_old_one_and_swapped_in(
    index: IndexLedger, builder: Builder
) -> None:
    documents = [await index.index(f"{n}.md", "x", "y") for n in range(5)]
    begun = await builder.generations.begin(*builder.place, NEXT)
    assert (begun.generation, begun.target) == (GENERATION, NEXT)
    assert await builder.generations.begin(*builder.place, NEXT) == begun
    with pytest.raises(Conflict, match="is being built"):
        await builder.generations.begin(*builder.place, "g-000000000003")
    with pytest.raises(Conflict, match="still wait"):
        await builder.generations.swap(*builder.place)
    assert await builder.offer_all() == 5
    assert await builder.offer_all() == 0
    with pytest.raises(Conflict, match="still wait"):
        await builder.generations.swap(*builder.place)
    await builder.build("z")
    for each in documents:
        assert await index.current(each) == {"x", "y"}
        assert await index.current(each, NEXT) == {"z"}
        assert (await index.find(each.path)).is_searchable
    swapped = await builder.generations.swap(*builder.place)
    assert (swapped.generation, swapped.next_generation) == (NEXT, None)
    assert swapped.edition > begun.edition
    assert await builder.named.all() == {GENERATION, NEXT}
    # Searches that began before it read the old one for a while.
    assert await builder.sweeps.take_down(limit=100) == 0
    await builder.sweep()
    assert len(await index.retire()) == 10
    assert await index.chunks() == 5
    assert await builder.named.all() == {NEXT}


async def test_a_document_removed_during_a_rebuild_goes_from_both(
    index: IndexLedger, builder: Builder
) -> None:
    removed = await index.index("a.md", "x")
    await builder.generations.begin(*builder.place, NEXT)
    await builder.offer_all()
    await builder.build("z")
    await DocumentChanges(index.database, index.clock).remove(*builder.place, [removed.id])
    await index.retired.drop_removed(limit=10)
    gone = await index.retire()
    assert {each.generation for each in gone} == {GENERATION, NEXT}
    assert await index.chunks() == 0


async def test_an_abandoned_generation_gets_nothing_new(
    index: IndexLedger, builder: Builder
) -> None:
    await index.index("a.md", "x")
    await index.index("b.md", "x")
    await builder.generations.begin(*builder.place, NEXT)
    await builder.offer_all()
    held = await index.one()
    assert await index.plan(held, "z", generation=NEXT)
    await builder.generations.abandon(*builder.place)
    assert not await index.plan(held, "z", generation=NEXT)
    assert not await index.finish(held, "z", generation=NEXT)
    await index.claims.give_back([held])
    await builder.build("x", generation=GENERATION)
    await builder.sweep()
    assert [each.generation for each in await index.retire()] == [NEXT]
    assert await index.chunks() == 2
    assert (await builder.generations.abandon(*builder.place)).generation == GENERATION


async def test_who_indexes_in_the_old_one_loses_the_document(
    index: IndexLedger, builder: Builder
) -> None:
    await index.index("a.md", "x", size=1)
    await index.offer("a.md", size=2)
    held = await index.one()
    await builder.generations.begin(*builder.place, NEXT)
    assert await builder.offer_all() == 1
    assert not await index.finish(held, "x")
    assert await index.claim() == []
    index.clock.advance(LEASE)
    assert len(await index.claim()) == 1


async def test_a_cancelled_document_that_was_indexed_is_built_as_well(
    index: IndexLedger, builder: Builder
) -> None:
    await index.index("a.md", "x")
    await builder.generations.begin(*builder.place, NEXT)
    await builder.offer_all()
    assert (await index.find("a.md")).state is DocumentState.PENDING
    with pytest.raises(NotFound):
        await builder.generations.swap("ten_2", index.collection.id)
    with pytest.raises(NotFound):
        await builder.rebuilding.offer_next("ten_2", index.collection.id)


async def test_a_deleted_collection_goes_whole(index: IndexLedger, builder: Builder) -> None:
    for n in range(5):
        await index.index(f"{n}.md", "x", "y")
    await index.offer("new.md")
    other = await index.catalogue.create(TENANT, name="other", generation=GENERATION, life_days=1)
    await index.catalogue.delete(*builder.place)
    assert await builder.sweeps.expire() == 0
    for _ in range(12):
        await builder.sweeps.remove_deleted(limit=2)
        await index.retired.drop_removed(limit=3)
        await index.retire()
        index.clock.advance(1)
    assert await index.chunks() == 0
    assert await builder.named.all() == {GENERATION}
    index.clock.advance(9 * 24 * 3600)
    assert await builder.sweeps.expire() == 1
    with pytest.raises(NotFound):
        await index.catalogue.find(TENANT, other.id)
    await builder.sweeps.remove_deleted()
    assert await builder.named.all() == set()


async def test_a_collection_without_a_generation_adopts_one(
    index: IndexLedger, builder: Builder
) -> None:
    made = await index.catalogue.create(TENANT, name="new", generation="")
    assert await builder.named.all() == {GENERATION}
    assert await builder.generations.adopt(TENANT, made.id, NEXT)
    assert await builder.generations.adopt(TENANT, made.id, NEXT)
    assert not await builder.generations.adopt(TENANT, made.id, GENERATION)
    assert await builder.named.all() == {GENERATION, NEXT}


async def test_collections_are_found_by_what_they_are_built_in(
    index: IndexLedger, builder: Builder
) -> None:
    made = [
        await index.catalogue.create(TENANT, name=f"c{n}", generation=f"g-{n}") for n in range(3)
    ]
    await index.catalogue.create(TENANT, name="without", generation="")
    others = await builder.named.of_others(GENERATION, limit=9)
    assert [each.id for each in others] == [each.id for each in made]
    assert len(await builder.named.of_others(GENERATION, limit=2)) == 2
    begun = await builder.generations.begin(TENANT, made[0].id, NEXT)
    assert await builder.named.building(limit=9) == [begun]
    assert await builder.named.of_others(GENERATION, limit=9) == made[1:]
    await index.catalogue.delete(TENANT, made[0].id)
    assert await builder.named.building(limit=9) == []
    assert await builder.named.all() == {GENERATION, NEXT, "g-0", "g-1", "g-2"}
