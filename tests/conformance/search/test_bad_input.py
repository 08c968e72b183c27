"""What engines half apply or take silently is refused by its name, and nothing is written."""

from __future__ import annotations

import math
import time
import uuid
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec
import pytest

from shared.errors import InvalidRequest
from shared.search.attribute_filter import (
    Above,
    AllOf,
    AnyOf,
    AtMost,
    AttributeFilter,
    Below,
    EqualTo,
    OneOf,
)
from shared.search.generation import Generation
from shared.search.label import PassageLabel
from shared.search.point import Change, Passage, Point, Scope
from shared.search.query import CodeVector, Dbsf, Query, Rrf, TextVector, Where, Words
from shared.search.vector_store import VectorStore
from tests.conformance.search.passages import passage, point

pytestmark = pytest.mark.asyncio(loop_scope="session")
Call = Callable[[VectorStore, Scope], Coroutine[Any, Any, object]]


def with_point(**told: Any) -> Call:
    """An upsert of a good point and one that differs by this."""

    def call(store: VectorStore, scope: Scope) -> Coroutine[Any, Any, object]:
        bad = msgspec.structs.replace(point(scope, "bad"), **told)
        return store.upsert(scope, [point(scope, "good"), bad])

    return call


def with_passage(**told: Any) -> Call:
    values = msgspec.structs.asdict(passage()) | told
    return with_point(passage=Passage(**values))


def with_query(*legs: Any, **told: Any) -> Call:
    return lambda store, scope: store.query(scope, Query(legs, **({"fusion": None} | told)))


def narrowed(**told: Any) -> Call:
    return lambda store, scope: store.count(scope, Where(**told))


def filtered(asked: AttributeFilter) -> Call:
    return narrowed(attributes=asked)


def deep(levels: int) -> AttributeFilter:
    return AllOf((deep(levels - 1),)) if levels else EqualTo("k", 1)


TEXT = TextVector([1, 0, 0, 0])
BAD: dict[str, tuple[Call, str]] = {
    "wrong size": (with_point(text_vector=[1.0, 2.0]), "text_vector of .* this generation has 4"),
    "not a number": (with_point(code_vector=[math.nan, 1, 1]), "code_vector .* finite"),
    "endless": (with_point(code_vector=[math.inf, 1, 1]), "code_vector .* finite"),
    "too long": (with_point(text_vector=[1e300, 1, 1, 1]), "text_vector .* finite"),
    "too large a number": (with_point(text_vector=[10**400, 1, 1, 1]), "text_vector .* finite"),
    "no direction": (with_point(text_vector=[0, 0, 0, 0]), "text_vector .* not all zero"),
    "empty": (with_point(text_vector=[]), "text_vector"),
    "text in a vector": (with_point(text_vector=["1", 0, 0, 0]), "text_vector .* numbers"),
    "truth in a vector": (with_point(text_vector=[True, 0, 0, 0]), "text_vector .* numbers"),
    "id of a number": (with_point(id=1), "id: 1 .*UUID"),
    "id of truth": (with_point(id=True), "id: True .*UUID"),
    "id in capitals": (with_point(id=str(uuid.uuid4()).upper() + "A"), "id: .*UUID"),
    "ver below nothing": (with_passage(ver=-1), "ver: -1 .*from 0"),
    "ver of truth": (with_passage(ver=True), "ver: True"),
    "ver beyond floats": (with_passage(ver=2**53), "ver: 9007199254740992"),
    "ver beyond writing": (with_passage(ver=10**5000), "ver: .*bits"),
    "half a pair": (with_passage(body="\ud800"), "body: .*surrogate"),
    "no text": (with_passage(path=None), "path: None .*use text"),
    "long keyword": (with_passage(path="x" * 5000), "path: '5000 characters'"),
    "lines": (with_passage(first_line=1.5), "first_line: 1.5"),
    "twice": (lambda s, c: s.upsert(c, [point(c, "a"), point(c, "a")]), "id: .*twice"),
    "many": (lambda s, c: s.upsert(c, [point(c, "a")] * 1001), "ids: 1001 .*at most 1000"),
    "no tenant": (lambda s, c: s.count(Scope(c.generation, ""), Where()), "tenant"),
    "no name": (lambda s, c: s.count(Scope("../up", "t"), Where()), "generation: '../up'"),
    "capitals": (lambda s, _: s.create(Generation("Big", 1, 1)), "generation: 'Big'"),
    "no dimensions": (lambda s, _: s.create(Generation("g", 0, 1)), "text_dimensions: 0"),
    "too many dimensions": (lambda s, _: s.create(Generation("g", 1, 10**6)), "code_dimensions"),
    "delete": (lambda s, c: s.delete(c, ["x"], ver=1), "id: 'x'"),
    "change": (
        lambda s, c: s.change(c, [Change(point(c, "a").id, "p", -1, 1)], ver=1),
        "first_line: -1",
    ),
    "start": (lambda s, c: s.scroll(c, Where(), start="behind"), "id: 'behind'"),
    "no limit": (lambda s, c: s.scroll(c, Where(), limit=0), "limit: 0"),
    "read": (lambda s, c: s.read(c, ["x"]), "id: 'x'"),
    "no legs": (with_query(), "legs: 0"),
    "many legs": (with_query(*[TEXT] * 5), "legs: 5"),
    "deep": (with_query(Words("a", depth=10**9)), r"legs\[0\].depth"),
    "leg's size": (with_query(TEXT, CodeVector([1.0])), r"legs\[1\].vector: '1 dimensions'"),
    "leg's number": (with_query(TextVector([math.nan, 0, 0, 0])), r"legs\[0\].vector"),
    "long words": (with_query(Words("a" * 2001)), r"legs\[0\].text"),
    "words that grow": (with_query(Words("\ufdfa" * 200)), r"legs\[0\].text: '3600 characters'"),
    "long body": (with_passage(body="a" * 100_001), "body: '100001 characters'"),
    "body that grows": (with_passage(body="\ufdfa" * 6000), "body: '108000 characters'"),
    "half a pair asked": (with_query(Words("\udfff")), r"legs\[0\].text"),
    "k": (with_query(TEXT, fusion=Rrf(k=0)), "fusion.k: 0"),
    "weights": (with_query(TEXT, fusion=Rrf(k=2, weights=(1.0, 2.0))), "each of the 1 legs"),
    "weight": (with_query(TEXT, fusion=Rrf(k=2, weights=(math.nan,))), "fusion.weights"),
    "where nothing": (with_query(TEXT, where=Where(kind=())), "where.kind"),
    "where letters": (with_query(TEXT, where=Where(kind="code")), "where.kind: 'code'"),  # type: ignore[arg-type]
    "limit": (with_query(TEXT, fusion=Dbsf(), limit=1001), "limit: 1001"),
    "principals": (with_passage(principals=["ann"]), "principals: .*tuple"),
    "nobody": (with_passage(principals=("",)), "principals: '' .*name somebody"),
    "many principals": (with_passage(principals=("a",) * 257), "principals: .*at most 256"),
    "many attributes": (with_passage(attributes=dict.fromkeys(map(str, range(17)), 1)), "16 keys"),
    "long key": (with_passage(attributes={"k" * 65: 1}), "attributes: '65 characters'"),
    "no key": (with_passage(attributes={"": 1}), "attributes: '' .*name"),
    "long value": (with_passage(attributes={"k": "v" * 513}), "attributes.k: '513 characters'"),
    "nested value": (with_passage(attributes={"k": []}), "attributes.k: .*number or a truth"),
    "no finite value": (with_passage(attributes={"k": math.inf}), "attributes.k: inf .*finite"),
    "endless value": (with_passage(attributes={"k": 10**400}), "attributes.k: .*finite"),
    "half a pair as key": (with_passage(attributes={"\ud800": 1}), "attributes: .*surrogate"),
    "label": (
        lambda s, c: s.label(c, [], PassageLabel(attributes={"k": math.nan}), ver=1),
        "attributes.k: nan",
    ),
    "asked for nobody": (narrowed(principals=("",)), "where.principals"),
    "order of texts": (filtered(Above("k", "2024")), "attributes.value: '2024' .*only numbers"),
    "order of truths": (filtered(AtMost("k", value=True)), "attributes.value: True .*only numbers"),
    "compared with nothing": (filtered(EqualTo("k", math.nan)), "attributes.value: nan"),
    "no key asked": (filtered(EqualTo("", 1)), "attributes.key: ''"),
    "nothing of all": (filtered(AllOf(())), "attributes.filters: 0 .*give 1 to"),
    "inner": (
        filtered(AllOf((EqualTo("k", 1), AnyOf((Below("k", "x"),))))),
        r"attributes.filters\[1\].filters\[0\].value: 'x'",
    ),
    "deep filter": (filtered(deep(9)), "nest at most 8"),
    "wide filter": (filtered(AnyOf((AnyOf((EqualTo("k", 1),) * 200),) * 2)), "256 comparisons"),
    "long list": (filtered(OneOf("k", (1.0,) * 1001)), "attributes.value: .*at most 1000"),
}


@pytest.mark.parametrize("case", BAD)
async def test_it_is_refused_by_its_name_and_nothing_is_written(
    store: VectorStore, scope: Scope, case: str
) -> None:
    call, sentence = BAD[case]
    with pytest.raises(InvalidRequest, match=sentence):
        await call(store, scope)
    assert await store.count(scope, Where()) == 0


async def test_words_that_mean_something_to_an_engine_are_words(
    store: VectorStore, scope: Scope
) -> None:
    await store.upsert(scope, [point(scope, "a", "parcel")])
    for text in ("", " ", "\0", '"', "AND (", "*:*", "a" * 2000, "\u202e", "💥", "{}"):
        answer = await store.query(scope, Query((Words(text),), Dbsf()))
        assert answer.hits == ()
    assert isinstance(await store.query(scope, Query((Words("parcel"),), Dbsf())), msgspec.Struct)


async def test_what_a_passage_may_hold_comes_back(store: VectorStore, scope: Scope) -> None:
    held: Point = point(scope, "a", "nul \0 and 💥 {}", path="a\0b/💥 'x'", ver=2**53 - 1)
    await store.upsert(scope, [held])
    answer = await store.query(scope, Query((TEXT,), None, Where(path=("a\0b/💥 'x'",))))
    assert [hit.passage for hit in answer.apart[0]] == [held.passage]


@pytest.mark.parametrize("marks", ["\u0301\u0316", "\u0f73\u0f74", "\u0316\uff9e"])
async def test_marks_without_end_are_folded_in_no_time(
    store: VectorStore, scope: Scope, marks: str
) -> None:
    began = time.process_time()
    await store.upsert(scope, [point(scope, "a", "parcel a" + marks * 16_000)])
    await store.query(scope, Query((Words("a" + marks * 500),), Dbsf()))
    assert time.process_time() - began < 1
    assert len((await store.query(scope, Query((Words("parcel"),), Dbsf()))).hits) == 1
