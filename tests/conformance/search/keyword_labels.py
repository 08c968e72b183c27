"""Whom a passage is for and what it is labelled with, asked of a store of words."""

from __future__ import annotations

import random

from shared.search.keyword.keyword_store import KeywordStore
from shared.search.label import PassageLabel
from shared.search.point import Scope
from shared.search.query import Where
from tests.conformance.search.passages import id_of
from tests.conformance.search.test_labels import (
    CASES,
    LABELLED,
    asked,
    filter_at_random,
    labelled,
    selects,
)

READERS = {"all": (), "ann": ("ann",), "both": ("ann", "bob"), "star": ("*",), "sign": ("=ann",)}


async def found(store: KeywordStore, scope: Scope, where: Where) -> set[str]:
    """The ids, by both ways of asking."""
    ids = {hit.id for hit in await store.query(scope, "parcel", where, limit=100)}
    assert await store.count(scope, where) == len(ids)
    return ids


async def check_comparisons(store: KeywordStore, scope: Scope) -> None:
    """Each finds what it says, and those at random what Python finds."""
    await store.upsert(
        scope,
        [labelled(scope, name, PassageLabel(attributes=told)) for name, told in LABELLED.items()],
    )
    names = {id_of(scope, name): name for name in LABELLED}
    for told, wanted in CASES:
        assert {names[each] for each in await found(store, scope, asked(told))} == wanted, told
    hits = await store.query(scope, "parcel", Where(), limit=100)
    assert {names[hit.id]: hit.passage.attributes for hit in hits} == LABELLED
    chance = random.Random(11)
    for _ in range(40):
        told = filter_at_random(chance, depth=3)
        ids = await found(store, scope, asked(told))
        assert {names[each] for each in ids} == {
            name for name, has in LABELLED.items() if selects(told, has)
        }, told


async def check_readers(store: KeywordStore, scope: Scope) -> None:
    """A passage is found by whom it is for, and no longer once it is for others."""
    await store.upsert(
        scope, [labelled(scope, name, PassageLabel(told)) for name, told in READERS.items()]
    )
    names = {id_of(scope, name): name for name in READERS}
    for principals, wanted in (
        (None, set(READERS)),
        ((), {"all"}),
        (("ann",), {"all", "ann", "both"}),
        (("bob", "eve"), {"all", "both"}),
        (("*",), {"all", "star"}),
        (("=ann",), {"all", "sign"}),
        (("Ann",), {"all"}),
    ):
        ids = await found(store, scope, Where(principals=principals))
        assert {names[each] for each in ids} == wanted
    label = PassageLabel(("eve",), {"year": 2026})
    await store.label(scope, [id_of(scope, "both")], label, ver=2)
    await store.label(scope, [id_of(scope, "both")], PassageLabel(), ver=1)
    other = Scope(scope.generation, scope.tenant.swapcase())
    await store.label(other, [id_of(scope, "ann")], PassageLabel(), ver=9)
    assert {names[each] for each in await found(store, scope, Where(principals=("bob",)))} == {
        "all"
    }
    year = asked({"type": "gt", "key": "year", "value": 2025})
    (hit,) = await store.query(scope, "parcel", year)
    assert (names[hit.id], hit.passage.ver, hit.passage.label) == ("both", 2, label)
