"""Filters by principals and attributes, in the words of a Qdrant server."""

from __future__ import annotations

from shared.search.attribute_filter import (
    Above,
    AllOf,
    AnyOf,
    AtMost,
    EqualTo,
    NoneOf,
    OneOf,
    UnequalTo,
)
from shared.search.qdrant.qdrant_store import QdrantStore
from shared.search.query import Where
from tests.integration.search.qdrant_stub import QdrantStub
from tests.integration.search.test_qdrant_requests import GENERATION, SCOPE, TENANT, without_nulls


async def test_principals_and_attributes_are_asked_in_qdrants_words(
    stub: QdrantStub, store: QdrantStore
) -> None:
    await store.create(GENERATION)
    asked = AnyOf(
        (
            AllOf((EqualTo("lang", "de"), UnequalTo("done", value=True))),
            OneOf("n", (1, "x")),
            NoneOf("n", (2.5,)),
            Above("n", 1),
            AtMost("n", 2.5),
        )
    )
    await store.count(SCOPE, Where(principals=("ann",), attributes=asked))

    def has(*values: str) -> dict[str, object]:
        return {"key": "attribute_values", "match": {"any": [*values]}}

    assert without_nulls(stub.bodies("/count")[0]["filter"]["must"]) == [
        TENANT,
        {"key": "readers", "match": {"any": ["*", "=ann"]}},
        {
            "should": [
                {"must": [has('["lang","de"]'), {"must_not": [has('["done",true]')]}]},
                has('["n",1.0]', '["n","x"]'),
                {"must_not": [has('["n",2.5]')]},
                {"key": "numbers.k6e", "range": {"gt": 1}},
                {"key": "numbers.k6e", "range": {"lte": 2.5}},
            ]
        },
    ]
