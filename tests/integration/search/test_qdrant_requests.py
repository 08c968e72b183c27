"""What a Qdrant server is sent, held against its own description, and what it answers, read.

The description is of 1.19: BM25 over a payload came after it and is only proved where
`FOREBAY_TEST_QDRANT_URL` names a server.
"""

from __future__ import annotations

import msgspec
import pytest

from shared.errors import Conflict
from shared.search.generation import Generation
from shared.search.label import PassageLabel
from shared.search.point import Change, Page, Passage, Point, Scope
from shared.search.qdrant.qdrant_store import QdrantStore
from shared.search.query import CodeVector, Dbsf, LegScore, Query, Rrf, TextVector, Where, Words
from shared.search.vector_store import StoreRefused
from tests.integration.search.described_server import serving
from tests.integration.search.qdrant_stub import (
    FIRST,
    SECOND,
    QdrantStub,
    qdrant_contract,
)

GENERATION = Generation("g", text_dimensions=2, code_dimensions=3)
SCOPE = Scope("g", "acme")
TENANT = {"key": "tenant", "match": {"value": "acme"}}
PASSAGE = Passage(
    "c",
    "d",
    "s",
    "p",
    "go",
    "code",
    4,
    "the ﬁle",
    principals=("ann",),
    attributes={"year": 2024, "a.b": "c"},
)
KEPT = msgspec.to_builtins(PASSAGE) | {
    "tenant": "acme",
    "principals": ["ann"],
    "attributes": {"year": 2024.0, "a.b": "c"},
    "readers": ["=ann"],
    "attribute_values": ['["year",2024.0]', '["a.b","c"]'],
    "numbers": {"k79656172": 2024.0},
}
LEGS = (TextVector([1, 0], depth=50), CodeVector([0, 0, 1]))


def point(ver: int, each: str) -> Point:
    passage = msgspec.structs.replace(PASSAGE, ver=ver)
    return Point(each, passage, text_vector=[0.5, 1.0], code_vector=[1.0, 0.0, 0.0])


def up_to(ver: int) -> list[object]:
    return [TENANT, {"key": "ver", "range": {"lte": ver}}]


def without_nulls(value: object) -> object:
    if isinstance(value, dict):
        return {name: without_nulls(one) for name, one in value.items() if one is not None}
    return [without_nulls(one) for one in value] if isinstance(value, list) else value


async def test_a_collection_is_made_as_the_embedded_one(
    stub: QdrantStub, store: QdrantStore
) -> None:
    await store.create(GENERATION)
    made = without_nulls(stub.bodies("/collections/g")[0])
    assert made == {
        "vectors": {
            "text": {"size": 2, "distance": "Cosine"},
            "code": {"size": 3, "distance": "Cosine"},
        },
        "sparse_vectors": {"words": {"modifier": "idf"}},
        "hnsw_config": {"m": 32, "ef_construct": 128},
        "quantization_config": {"scalar": {"type": "int8", "quantile": 0.99, "memory": "pinned"}},
    }
    indexes = {each["field_name"]: each["field_schema"] for each in stub.bodies("/index")}
    assert indexes.pop("tenant")["is_tenant"] is True
    assert indexes.keys() == {
        *("collection", "document", "source", "path", "language", "kind", "ver"),
        *("readers", "attribute_values"),
    }
    assert all(index["enable_hnsw"] is False for index in indexes.values())
    await store.create(GENERATION)
    assert (await store.describe("g")).points == 7
    with pytest.raises(Conflict, match="another name"):
        await store.create(Generation("g", 2, 4))
    await store.drop("g")
    assert await store.generations() == ()


async def test_a_point_without_vectors_is_sent_with_its_words_alone(
    stub: QdrantStub, store: QdrantStore
) -> None:
    await store.create(GENERATION)
    await store.upsert(SCOPE, [Point(FIRST, PASSAGE)])
    assert stub.bodies("/points")[0]["points"][0]["vector"].keys() == {"words"}


async def test_every_write_is_bound_to_the_tenant_and_to_what_is_not_newer(
    stub: QdrantStub, store: QdrantStore
) -> None:
    await store.create(GENERATION)
    await store.upsert(SCOPE, [point(4, FIRST), point(9, SECOND)])
    first, second = stub.bodies("/points")
    assert first["update_filter"]["must"] == up_to(4)
    assert second["update_filter"]["must"] == up_to(9)
    assert first["points"][0]["payload"] == KEPT | {"body": "the file"}
    chosen = [*up_to(5), {"has_id": [FIRST]}]
    await store.delete(SCOPE, [FIRST], ver=5)
    assert stub.bodies("/points/delete")[0]["filter"]["must"] == chosen
    await store.change(SCOPE, [Change(FIRST, "new", 3, 9)], ver=5)
    (moved,) = stub.bodies("/points/batch")[0]["operations"]
    assert moved["set_payload"]["filter"]["must"] == chosen
    assert moved["set_payload"]["payload"] == {
        "path": "new",
        "first_line": 3,
        "last_line": 9,
        "ver": 5,
    }
    await store.label(SCOPE, [FIRST], PassageLabel(), ver=5)
    (labelled,) = stub.bodies("/points/payload")
    assert labelled["filter"]["must"] == chosen
    assert labelled["payload"] == {
        "principals": [],
        "attributes": {},
        "readers": ["*"],
        "attribute_values": [],
        "numbers": {},
        "ver": 5,
    }


async def test_every_read_is_bound_to_the_tenant(stub: QdrantStub, store: QdrantStore) -> None:
    await store.create(GENERATION)
    where = Where(kind=("code",), below_ver=3)
    must = [
        TENANT,
        {"key": "kind", "match": {"any": ["code"]}},
        {"key": "ver", "range": {"lt": 3}},
    ]
    assert await store.count(SCOPE, where) == 7
    assert without_nulls(stub.bodies("/count")[0]["filter"]) == {"must": must}
    assert await store.scroll(SCOPE, where, start=FIRST) == Page((FIRST, SECOND), FIRST)
    assert without_nulls(stub.bodies("/scroll")[0]["filter"]) == {"must": must}
    with pytest.raises(StoreRefused, match="no passage"):
        await store.read(SCOPE, [FIRST])  # the stub has none
    assert stub.bodies("/scroll")[1]["filter"]["must"][0]["key"] == "tenant"
    stub.found = [[], []]
    for fusion in (Rrf(k=5, weights=(2.0, 1.0)), Dbsf(), None):
        await store.query(SCOPE, Query(LEGS, fusion, where, explained=True))
    for batch in stub.bodies("/query/batch"):
        for each in batch["searches"]:
            for leg in each.get("prefetch") or [each]:
                assert without_nulls(leg["filter"]) == {"must": must}
                assert leg["params"]["quantization"]["rescore"] is True
                over = 1.12 if leg["limit"] == 100 else 2
                assert leg["params"]["quantization"]["oversampling"] == over
                assert leg["params"]["hnsw_ef"] == 112


async def test_a_fusion_is_asked_with_its_legs_and_read_with_their_scores(
    stub: QdrantStub, store: QdrantStore
) -> None:
    await store.create(GENERATION)

    def found(each: str, score: float, payload: object = None) -> dict[str, object]:
        return {"id": each, "version": 1, "score": score, "payload": payload}

    stub.found = [
        [found(SECOND, 0.5, KEPT), found(FIRST, 0.5, KEPT)],
        [found(SECOND, 0.9)],
        [found(FIRST, 0.8), found(SECOND, 0.7)],
    ]
    answer = await store.query(
        SCOPE, Query(LEGS, Rrf(k=5, weights=(2.0, 1.0)), limit=4, explained=True)
    )
    fused, text, code = without_nulls(stub.bodies("/query/batch")[0]["searches"])
    assert fused["query"] == {"rrf": {"k": 5, "weights": [2.0, 1.0]}}
    assert [leg["using"] for leg in fused["prefetch"]] == ["text", "code"]
    assert [leg["limit"] for leg in fused["prefetch"]] == [50, 100]
    assert (fused["limit"], text["limit"], code["limit"]) == (4, 50, 100)
    assert [hit.id for hit in answer.hits] == [FIRST, SECOND]
    assert answer.hits[0].legs == (None, LegScore(1, 0.8))
    assert answer.hits[1].legs == (LegScore(1, 0.9), LegScore(2, 0.7))
    assert answer.hits[0].passage == PASSAGE


async def test_words_are_a_sparse_vector_before_the_server_has_bm25(
    stub: QdrantStub, store: QdrantStore
) -> None:
    await store.create(GENERATION)
    assert stub.bodies("/collections/g")[0]["sparse_vectors"]["words"]["modifier"] == "idf"
    await store.upsert(SCOPE, [point(4, FIRST)])
    written = stub.bodies("/points")[0]["points"][0]["vector"]
    stub.found = [[]]
    await store.query(SCOPE, Query((Words("the ﬁles"),), None))
    (asked,) = without_nulls(stub.bodies("/query/batch")[0]["searches"])
    assert asked["using"] == "words"
    assert asked["params"]["idf"] == {"corpus": {"must": [TENANT]}}
    assert asked["query"]["nearest"]["values"] == [1.0]
    assert asked["query"]["nearest"]["indices"] == written["words"]["indices"]
    await store.query(SCOPE, Query((Words("the"),), None))
    (asked,) = without_nulls(stub.bodies("/query/batch")[1]["searches"])
    assert asked["query"]["nearest"] == {"indices": [0], "values": [1.0]}


async def test_words_are_asked_of_a_newer_server_with_the_tenants_own_rarity() -> None:
    stub = QdrantStub(qdrant_contract(), version="1.20.0")
    stub.found = [[]]
    async with serving(stub) as url:
        store = QdrantStore(url)
        await store.create(GENERATION)
        await store.query(SCOPE, Query((Words("ﬁle"),), None))
        await store.close()
    (index,) = (each for each in stub.bodies("/index") if each["field_name"] == "body")
    wanted = {"tokenizer": "code", "ascii_folding": True, "scoring": True, "enable_hnsw": False}
    assert wanted.items() <= index["field_schema"].items()
    (asked,) = without_nulls(stub.bodies("/query/batch")[0]["searches"])
    assert asked["using"] == "body"
    assert asked["query"] == {"text": {"query": "file"}}
    assert asked["params"]["idf"] == {"corpus": {"must": [TENANT]}}
