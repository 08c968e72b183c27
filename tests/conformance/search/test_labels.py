"""Whom a passage is for and what its document is labelled with, on each store of passages."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest

from shared.search.attribute_filter import AttributeFilter
from shared.search.label import Attribute, PassageLabel
from shared.search.point import Point, Scope
from shared.search.query import Dbsf, Query, TextVector, Where
from shared.search.vector_store import VectorStore
from tests.conformance.search.passages import ANY, EAST, LEGS, id_of, point

pytestmark = pytest.mark.asyncio(loop_scope="session")
LABELLED: dict[str, dict[str, Attribute]] = {
    "one": {"n": 1, "lang": "de", "done": True},
    "text": {"n": "1", "lang": "fr", "done": False},
    "truth": {"n": True, "lang": "de"},
    "half": {"n": 0.5, "lang": "", "a.b[]\"'": "odd"},
    "below": {"n": -7, "lang": "💥", "done": "true"},
    "zero": {"n": -0.0, "lang": "fr"},
    "none": {},
}
EVERY = set(LABELLED)
CASES: list[tuple[Any, set[str]]] = [
    ({"type": "eq", "key": "n", "value": 1}, {"one"}),
    ({"type": "eq", "key": "n", "value": 1.0}, {"one"}),
    ({"type": "eq", "key": "n", "value": "1"}, {"text"}),
    ({"type": "eq", "key": "n", "value": True}, {"truth"}),
    ({"type": "eq", "key": "n", "value": 0}, {"zero"}),
    ({"type": "eq", "key": "lang", "value": ""}, {"half"}),
    ({"type": "eq", "key": "lang", "value": "💥"}, {"below"}),
    ({"type": "eq", "key": "done", "value": False}, {"text"}),
    ({"type": "eq", "key": "done", "value": "true"}, {"below"}),
    ({"type": "eq", "key": "a.b[]\"'", "value": "odd"}, {"half"}),
    ({"type": "eq", "key": "absent", "value": 1}, set()),
    ({"type": "ne", "key": "n", "value": 1}, EVERY - {"one"}),
    ({"type": "ne", "key": "absent", "value": 1}, EVERY),
    ({"type": "gt", "key": "n", "value": 0}, {"one", "half"}),
    ({"type": "gte", "key": "n", "value": 0}, {"one", "half", "zero"}),
    ({"type": "lt", "key": "n", "value": 0}, {"below"}),
    ({"type": "lte", "key": "n", "value": 0.5}, {"half", "zero", "below"}),
    ({"type": "gte", "key": "lang", "value": 0}, set()),
    ({"type": "in", "key": "n", "value": [0.5, "1", 9]}, {"half", "text"}),
    ({"type": "in", "key": "n", "value": []}, set()),
    ({"type": "nin", "key": "lang", "value": ["de", "fr"]}, {"half", "below", "none"}),
    ({"type": "nin", "key": "lang", "value": []}, EVERY),
    (
        {
            "type": "and",
            "filters": [
                {"type": "in", "key": "lang", "value": ["de", "fr"]},
                {
                    "type": "or",
                    "filters": [
                        {"type": "gt", "key": "n", "value": 0.9},
                        {
                            "type": "and",
                            "filters": [
                                {"type": "ne", "key": "done", "value": False},
                                {"type": "lte", "key": "n", "value": 0},
                            ],
                        },
                    ],
                },
            ],
        },
        {"one", "zero"},
    ),
]


def labelled(scope: Scope, name: str, label: PassageLabel, **told: Any) -> Point:
    bare = point(scope, name, "a parcel", **told)
    told = {"principals": label.principals, "attributes": label.attributes}
    return msgspec.structs.replace(bare, passage=msgspec.structs.replace(bare.passage, **told))


async def found(store: VectorStore, scope: Scope, where: Where) -> set[str]:
    """By every way of asking, which all agree."""
    ids = set((await store.scroll(scope, where)).ids)
    assert await store.count(scope, where) == len(ids)
    for fusion in (None, Dbsf()):
        answer = await store.query(scope, Query(LEGS, fusion, where, limit=100))
        for hits in answer.apart or (answer.hits,):
            assert {hit.id for hit in hits} == ids
    return ids


def asked(told: Any) -> Where:
    read: AttributeFilter = msgspec.json.decode(msgspec.json.encode(told), type=AttributeFilter)  # type: ignore[arg-type]
    return Where(attributes=read)


async def test_every_comparison_finds_what_it_says(store: VectorStore, scope: Scope) -> None:
    written = [
        labelled(scope, name, PassageLabel(attributes=told)) for name, told in LABELLED.items()
    ]
    await store.upsert(scope, written)
    names = {id_of(scope, name): name for name in LABELLED}
    for told, wanted in CASES:
        ids = await found(store, scope, asked(told))
        assert {names[each] for each in ids} == wanted, told
    hits = (await store.query(scope, Query((TextVector(EAST),), None, limit=100))).apart[0]
    assert {names[hit.id]: hit.passage.attributes for hit in hits} == LABELLED


async def test_random_filters_find_what_python_finds(store: VectorStore, scope: Scope) -> None:
    chance = random.Random(11)
    kept = {
        str(number): {
            key: chance.choice([1, 2.5, "1", "x", True]) for key in chance.sample("abc", 2)
        }
        for number in range(60)
    }
    await store.upsert(
        scope, [labelled(scope, name, PassageLabel(attributes=told)) for name, told in kept.items()]
    )
    for _ in range(40):
        told = filter_at_random(chance, depth=3)
        ids = set((await store.scroll(scope, asked(told))).ids)
        assert ids == {id_of(scope, name) for name, has in kept.items() if selects(told, has)}, told


def filter_at_random(chance: random.Random, *, depth: int) -> Any:
    kind = chance.choice(["eq", "ne", "in", "nin", "gt", "lte", "and", "or"])
    if kind in ("and", "or") and depth > 0:
        inner = [filter_at_random(chance, depth=depth - 1) for _ in range(chance.randint(1, 3))]
        return {"type": kind, "filters": inner}
    if kind in ("gt", "lte"):
        return {"type": kind, "key": chance.choice("abc"), "value": chance.choice([0, 1, 2])}
    values: list[Any] = chance.sample([1, 2.5, "1", "x"], 2)
    value = values if kind in ("in", "nin") else chance.choice([*values, True])
    kind = kind if kind in ("in", "nin", "eq") else "ne"
    return {"type": kind, "key": chance.choice("abc"), "value": value}


def selects(told: Any, has: dict[str, Any]) -> bool:
    if told["type"] in ("and", "or"):
        held = [selects(each, has) for each in told["filters"]]
        return all(held) if told["type"] == "and" else any(held)
    there, value = has.get(told["key"]), told["value"]
    if told["type"] in ("gt", "lte"):
        is_number = type(there) in (int, float)
        return is_number and (there > value if told["type"] == "gt" else there <= value)
    values = value if isinstance(value, list) else [value]
    is_one = any(
        isinstance(each, bool) == isinstance(there, bool) and each == there for each in values
    )
    return is_one == (told["type"] in ("eq", "in"))


async def test_a_passage_is_found_by_whom_it_is_for(store: VectorStore, scope: Scope) -> None:
    readers = {
        "all": (),
        "ann": ("ann",),
        "both": ("ann", "bob"),
        "star": ("*",),
        "sign": ("=ann",),
    }
    await store.upsert(
        scope, [labelled(scope, name, PassageLabel(told)) for name, told in readers.items()]
    )
    names = {id_of(scope, name): name for name in readers}
    for principals, wanted in (
        (None, set(readers)),
        ((), {"all"}),
        (("ann",), {"all", "ann", "both"}),
        (("bob", "eve"), {"all", "both"}),
        (("*",), {"all", "star"}),
        (("=ann",), {"all", "sign"}),
        (("Ann",), {"all"}),
    ):
        ids = await found(store, scope, Where(principals=principals))
        assert {names[each] for each in ids} == wanted
    narrowed = Where(principals=("ann",), kind=("code",))
    assert await found(store, scope, narrowed) == set()


async def test_a_label_takes_the_place_of_the_one_before(store: VectorStore, scope: Scope) -> None:
    first = PassageLabel(("ann",), {"year": 2024, "lang": "de"})
    await store.upsert(scope, [labelled(scope, name, first) for name in ("a", "b")])
    ids = [id_of(scope, "a")]
    await store.label(scope, ids, PassageLabel(("bob",), {"year": 2026}), ver=2)
    await store.label(scope, ids, first, ver=1)
    assert await found(store, scope, Where(principals=("bob",))) == set(ids)
    assert await found(store, scope, Where(principals=("ann",))) == {id_of(scope, "b")}
    assert await found(store, scope, asked({"type": "gt", "key": "year", "value": 2025})) == set(
        ids
    )
    german = asked({"type": "eq", "key": "lang", "value": "de"})
    assert await found(store, scope, german) == {id_of(scope, "b")}
    (hit,) = (await store.query(scope, Query(LEGS, Dbsf(), Where(principals=("bob",))))).hits
    assert hit.passage.attributes == {"year": 2026}
    assert (hit.passage.ver, hit.passage.body) == (2, "a parcel")
    await store.label(scope, ids, PassageLabel(), ver=2)
    assert await found(store, scope, Where(principals=())) == set(ids)
    await store.upsert(scope, [labelled(scope, "a", first, ver=3)])
    assert await found(store, scope, Where(principals=())) == set()


async def test_a_label_of_another_tenant_changes_nothing(store: VectorStore, scope: Scope) -> None:
    await store.upsert(scope, [labelled(scope, "a", PassageLabel(("ann",)))])
    other = Scope(scope.generation, scope.tenant + "-other")
    await store.label(other, [id_of(scope, "a")], PassageLabel(), ver=9)
    assert await store.count(scope, Where(principals=())) == 0
    assert await store.count(scope, ANY) == 1
