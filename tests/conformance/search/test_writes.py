"""What is written, by whom, and what of it stays, on each store of passages."""

from __future__ import annotations

import random

import msgspec
import pytest

from shared.errors import Conflict, NotFound
from shared.search.generation import Generation
from shared.search.point import Change, Scope
from shared.search.query import (
    Dbsf,
    Query,
    Rrf,
    SearchAnswer,
    TextVector,
    Where,
)
from shared.search.vector_store import VectorStore
from tests.conformance.search.passages import (
    ANY,
    EAST,
    GENERATION,
    LEGS,
    id_of,
    new_scope,
    passage,
    point,
    three,
    words,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def body_of(store: VectorStore, scope: Scope) -> str:
    """Of the tenant's only point."""
    answer = await store.query(scope, Query((TextVector(EAST),), None))
    (hit,) = answer.apart[0]
    return hit.passage.body


async def test_a_tenant_reaches_nothing_of_another(store: VectorStore, scope: Scope) -> None:
    other = new_scope()
    mine = point(scope, "mine", "a secret parcel")
    await store.upsert(scope, [mine])
    stolen = msgspec.structs.replace(mine, passage=passage("overwritten", ver=9))
    await store.upsert(other, [stolen])
    await store.change(other, [Change(mine.id, "stolen.md", 9, 9)], ver=9)
    await store.delete(other, [mine.id], ver=9)
    assert await store.count(other, ANY) == 0
    assert (await store.scroll(other, ANY)).ids == ()
    for fusion in (None, Dbsf(), Rrf(k=60)):
        assert _bodies(await store.query(other, Query(LEGS, fusion))) == set()
        assert _bodies(await store.query(scope, Query(LEGS, fusion))) == {"a secret parcel"}
    (hit,) = await words(store, scope, "secret")
    assert hit.passage == mine.passage


def _bodies(answer: SearchAnswer) -> set[str]:
    return {hit.passage.body for hits in (answer.hits, *answer.apart) for hit in hits}


async def test_an_older_delivery_changes_nothing(store: VectorStore, scope: Scope) -> None:
    await store.upsert(scope, [point(scope, "a", "second", ver=2)])
    await store.upsert(scope, [point(scope, "a", "first", ver=1)])
    assert await body_of(store, scope) == "second"
    await store.delete(scope, [id_of(scope, "a")], ver=1)
    assert await body_of(store, scope) == "second"
    await store.upsert(scope, [point(scope, "a", "second again", ver=2)])
    assert await body_of(store, scope) == "second again"
    mixed = [point(scope, "a", "third", ver=3), point(scope, "b", "first", ver=1)]
    await store.upsert(scope, mixed)
    await store.upsert(scope, [point(scope, "a", "old", ver=2), point(scope, "b", "new", ver=2)])
    bodies = {hit.passage.body for hit in await words(store, scope, "third first old new")}
    assert bodies == {"third", "new"}
    await store.delete(scope, [id_of(scope, "a"), id_of(scope, "b")], ver=2)
    assert await store.count(scope, ANY) == 1


async def test_a_moved_passage_keeps_its_words_and_vectors(
    store: VectorStore, scope: Scope
) -> None:
    await three(store, scope)
    moved = [Change(id_of(scope, "said"), "new.md", 30, 33)]
    await store.change(scope, moved, ver=5)
    await store.change(scope, [Change(id_of(scope, "said"), "old.md", 1, 1)], ver=4)
    answer = await store.query(scope, Query(LEGS, Dbsf(), Where(path=("new.md",)), explained=True))
    (hit,) = answer.hits
    assert (hit.passage.first_line, hit.passage.last_line, hit.passage.ver) == (30, 33, 5)
    assert None not in hit.legs
    assert len(hit.legs) == 3
    stale = await store.scroll(scope, Where(below_ver=5))
    assert set(stale.ids) == {id_of(scope, "near"), id_of(scope, "code")}


async def test_pages_of_ids_hold_each_once(store: VectorStore, scope: Scope) -> None:
    await store.upsert(scope, [point(scope, str(number)) for number in range(25)])
    found: list[str] = []
    page = await store.scroll(scope, ANY, limit=10)
    while page.following is not None:
        found += page.ids
        page = await store.scroll(scope, ANY, limit=10, start=page.following)
    found += page.ids
    assert len(found) == 25
    assert set(found) == {id_of(scope, str(number)) for number in range(25)}


async def test_random_points_are_all_there_however_often_they_are_written(
    store: VectorStore, scope: Scope
) -> None:
    chance = random.Random(3)
    newest: dict[str, int] = {}
    for _ in range(15):
        batch = {str(chance.randrange(40)): chance.randrange(5) for _ in range(20)}
        await store.upsert(
            scope, [point(scope, name, f"v{ver}", ver=ver) for name, ver in batch.items()]
        )
        newest |= {name: max(ver, newest.get(name, 0)) for name, ver in batch.items()}
    assert await store.count(scope, ANY) == len(newest)
    for ver in range(5):
        below = {id_of(scope, name) for name, each in newest.items() if each < ver}
        assert set((await store.scroll(scope, Where(below_ver=ver))).ids) == below


async def test_a_generation_is_made_once_and_gone_for_good(
    store: VectorStore, scope: Scope
) -> None:
    second = Generation(f"{GENERATION.name}-second", 2, 2)
    await store.create(second)
    await store.create(second)
    assert {GENERATION.name, second.name} <= set(await store.generations())
    with pytest.raises(Conflict, match="another name"):
        await store.create(Generation(second.name, 2, 3))
    there = Scope(second.name, scope.tenant)
    await store.upsert(there, [point(there, "a", text=[1, 0])])
    assert (await store.describe(second.name)).points == 1
    assert await store.count(scope, ANY) == 0
    await store.drop(second.name)
    await store.drop(second.name)
    for lost in (store.describe(second.name), store.count(there, ANY), store.upsert(there, [])):
        with pytest.raises(NotFound, match=second.name):
            await lost
    await store.create(second)
    assert await store.describe(second.name) == msgspec.structs.replace(
        await store.describe(second.name), generation=second, points=0
    )
    await store.drop(second.name)
