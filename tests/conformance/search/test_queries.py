"""What is found, in which order and why, on each store of passages."""

from __future__ import annotations

import msgspec
import numpy
import pytest

from shared.search.point import Point, Scope
from shared.search.query import (
    Dbsf,
    LegScore,
    Query,
    Rrf,
    TextVector,
    Where,
    Words,
)
from shared.search.vector_store import VectorStore
from tests.conformance.search.passages import (
    EAST,
    LEGS,
    id_of,
    new_scope,
    passage,
    point,
    three,
    words,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_each_leg_has_its_own_order_and_score(store: VectorStore, scope: Scope) -> None:
    names = await three(store, scope)
    answer = await store.query(scope, Query(LEGS, None))
    text, code, said = answer.apart
    assert answer.hits == ()
    assert [names[hit.id] for hit in text] == ["near", "code", "said"]
    assert [hit.score for hit in text] == pytest.approx([1.0, 0.6, 0.0], abs=1e-5)
    assert [names[hit.id] for hit in code] == ["code", "said", "near"]
    assert [hit.score for hit in code] == pytest.approx([1.0, 0.8, 0.0], abs=1e-5)
    assert [names[hit.id] for hit in said] == ["said", "code"]
    assert said[0].score > said[1].score > 0
    assert said[0].legs == (None, None, LegScore(1, said[0].score))
    assert said[0].passage == passage("open parcel parcel")


async def test_legs_may_be_asked_for_ids_alone(store: VectorStore, scope: Scope) -> None:
    await three(store, scope)
    whole = await store.query(scope, Query(LEGS, None))

    answer = await store.query(scope, Query(LEGS, None, bare=True))

    assert [[(each.id, each.score) for each in leg] for leg in answer.bare] == [
        [(hit.id, hit.score) for hit in leg] for leg in whole.apart
    ]
    assert answer.hits == answer.apart == ()


async def test_ranks_fuse_by_k_and_weights_and_every_leg_is_told(
    store: VectorStore, scope: Scope
) -> None:
    names = await three(store, scope)
    answer = await store.query(
        scope, Query(LEGS, Rrf(k=2, weights=(4.0, 1.0, 1.0)), explained=True)
    )
    assert [names[hit.id] for hit in answer.hits] == ["code", "said", "near"]
    ranks = {"near": (1, 3, None), "code": (2, 1, 2), "said": (3, 2, 1)}
    for hit in answer.hits:
        told = tuple(leg and leg.rank for leg in hit.legs)
        assert told == ranks[names[hit.id]]
        shares = [
            1 / (2 + rank / weight - 1)
            for rank, weight in zip(told, (4, 1, 1), strict=True)
            if rank is not None
        ]
        assert hit.score == pytest.approx(sum(shares), rel=1e-4)


async def test_scores_fuse_by_their_distribution(store: VectorStore, scope: Scope) -> None:
    names = await three(store, scope)
    hits = (await store.query(scope, Query(LEGS, Dbsf(), explained=True))).hits
    assert [names[hit.id] for hit in hits] == ["code", "said", "near"]
    assert hits[0].score > hits[1].score > hits[2].score
    near = next(hit for hit in hits if names[hit.id] == "near")
    assert near.legs[0] == LegScore(1, pytest.approx(1.0, abs=1e-5))
    assert near.legs[2] is None


async def test_int8_finds_what_exact_cosine_finds_in_the_same_order(
    store: VectorStore, scope: Scope
) -> None:
    drawn = numpy.random.default_rng(7).normal(size=(300, 4)).astype(numpy.float32)
    points = [
        point(scope, str(number), text=vector.tolist()) for number, vector in enumerate(drawn)
    ]
    await store.upsert(scope, points)
    lengths = numpy.linalg.norm(drawn, axis=1)
    for wanted in drawn[:5] + 0.3:
        cosines = drawn @ wanted / lengths / numpy.linalg.norm(wanted)
        best = [points[number].id for number in numpy.argsort(-cosines)[:10]]
        answer = await store.query(scope, Query((TextVector(wanted.tolist()),), None))
        assert [hit.id for hit in answer.apart[0]] == best


async def test_equal_scores_come_in_the_order_of_their_ids(
    store: VectorStore, scope: Scope
) -> None:
    await store.upsert(scope, [point(scope, str(number), "same") for number in range(20)])
    query = Query((TextVector(EAST), Words("same")), Rrf(k=60), limit=20)
    first = await store.query(scope, query)
    assert all(hit.legs == () for hit in first.hits)
    for score in {hit.score for hit in first.hits}:
        ids = [hit.id for hit in first.hits if hit.score == score]
        assert ids == sorted(ids)
    assert len(first.hits) == 20


async def test_how_rare_a_word_is_does_not_tell_what_others_have(
    store: VectorStore, scope: Scope
) -> None:
    await three(store, scope)
    before = [hit.score for hit in await words(store, scope, "parcel")]
    other = new_scope()
    await store.upsert(other, [point(other, str(number), "parcel") for number in range(50)])
    # The length of the average body is still everybody's: a hundredth is its share.
    assert [hit.score for hit in await words(store, scope, "parcel")] == pytest.approx(
        before, rel=0.35
    )


async def test_what_is_searched_can_be_narrowed(store: VectorStore, scope: Scope) -> None:
    def named(name: str, language: str, kind: str) -> Point:
        return point(scope, name, "parcel", language=language, kind=kind)

    kinds = [("a", "python", "code"), ("b", "go", "code"), ("c", "rust", "prose")]
    await store.upsert(scope, [named(*each) for each in kinds])
    where = Where(language=("python", "rust"), kind=("code",))
    assert await store.count(scope, where) == 1
    for fusion in (None, Dbsf()):
        answer = await store.query(scope, Query(LEGS, fusion, where))
        found = {hit.id for hits in (answer.hits, *answer.apart) for hit in hits}
        assert found == {id_of(scope, "a")}


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("the ﬁle was re‑read", "file"),
        ("def getUserName(): ...", "user name"),
        ("Ｆｕｌｌ width", "full"),
        ("cafe\u0301", "café"),
        ("naïve", "ｎａｉｖｅ"),
    ],
)
async def test_words_are_found_however_they_are_spelt(
    store: VectorStore, scope: Scope, written: str, asked: str
) -> None:
    await store.upsert(scope, [point(scope, "a", written)])
    assert len(await words(store, scope, asked)) == 1
    assert await words(store, scope, "absent") == ()


async def test_a_point_is_found_by_the_vectors_that_it_has(
    store: VectorStore, scope: Scope
) -> None:
    await store.upsert(scope, [point(scope, "a", "parcel", text=EAST)])
    text, code, said = (await store.query(scope, Query(LEGS, None))).apart
    assert (len(text), len(code), len(said)) == (1, 0, 1)


async def test_a_point_without_vectors_is_found_by_words_until_it_gets_them(
    store: VectorStore, scope: Scope
) -> None:
    bare = Point(id_of(scope, "bare"), passage("a parcel without"))
    await store.upsert(scope, [bare, point(scope, "whole", "a parcel with")])
    assert {hit.id for hit in await words(store, scope, "parcel")} == {
        bare.id,
        id_of(scope, "whole"),
    }
    nearest = Query((TextVector(EAST),), None)
    assert [hit.id for hit in (await store.query(scope, nearest)).apart[0]] == [
        id_of(scope, "whole")
    ]
    await store.upsert(scope, [msgspec.structs.replace(bare, text_vector=EAST)])
    assert len((await store.query(scope, nearest)).apart[0]) == 2


async def test_passages_are_read_by_their_ids_and_no_tenant_reads_anothers(
    store: VectorStore, scope: Scope
) -> None:
    names = await three(store, scope)
    near = id_of(scope, "near")

    found = await store.read(scope, [near, id_of(scope, "never written")])

    assert found == {near: passage("open the door")}
    assert (await store.read(scope, [*names])).keys() == names.keys()
    assert await store.read(scope, []) == {}
    assert await store.read(new_scope(), [near]) == {}


async def test_words_are_found_in_any_of_their_english_forms_and_stop_words_find_nothing(
    store: VectorStore, scope: Scope
) -> None:
    await store.upsert(scope, [point(scope, "lease", "the lease is renewed")])

    assert await words(store, scope, "renewing leases")
    assert not await words(store, scope, "is the")
