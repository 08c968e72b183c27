"""The sparse vectors for older Qdrant servers, in the embedded engine beside its own BM25."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import qdrant_edge as engine

from shared.search.embedded.engine_config import indexes
from shared.search.generation import BODY
from shared.search.qdrant.sparse_words import WORDS, of_body, of_question

STEMS = ["index", "parcel", "getUserName", "running", "files", "café", "HTTPServer", "queue"]


@pytest.fixture
def shard(folder: Path) -> engine.EdgeShard:
    """With both ways of asking for words."""
    sparse = {WORDS: engine.EdgeSparseVectorParams(modifier=engine.Modifier.Idf)}
    shard = engine.EdgeShard.create(str(folder), engine.EdgeConfig(sparse_vectors=sparse))
    shard.update(engine.UpdateOperation.create_field_index(BODY, indexes()[BODY]))
    chance = random.Random(3)
    points = []
    for number in range(200):
        count = chance.randint(1, 4)
        body = " ".join(chance.choices(STEMS, weights=range(1, 9), k=count) + ["filler"] * 80)
        made = of_body(body)
        assert made is not None
        vector = engine.SparseVector([*made.indices], [*made.values])
        points.append(engine.Point(number, {WORDS: vector}, {BODY: body}))
    shard.update(engine.UpdateOperation.upsert_points(points))
    return shard


def scores(
    shard: engine.EdgeShard, query: engine.Query | engine.TextQuery
) -> dict[int | str, float]:
    found = shard.query(engine.QueryRequest(limit=200, query=query))
    return {hit.id: hit.score for hit in found}  # type: ignore[misc]


@pytest.mark.parametrize(
    "asked", ["index", "parcels", "the user of a name", "run file", "cafe http", "INDEXED queue"]
)
def test_they_find_what_the_engines_own_bm25_finds_with_scores_alike(
    shard: engine.EdgeShard, asked: str
) -> None:
    question = of_question(asked)
    vector = engine.SparseVector([*question.indices], [*question.values])
    sparse = scores(shard, engine.Query.Nearest(vector, WORDS))
    text = scores(shard, engine.TextQuery(BODY, asked))
    assert sparse.keys() == text.keys()
    assert len(sparse) > 5
    best = sorted(sparse, key=lambda each: -sparse[each])[:5]
    for each in sparse:
        ratio = sparse[each] / sparse[best[0]]
        assert ratio == pytest.approx(text[each] / text[best[0]], rel=0.05)


def test_what_has_no_word_finds_nothing(shard: engine.EdgeShard) -> None:
    assert of_body("the of") is None
    question = of_question("")
    vector = engine.SparseVector([*question.indices], [*question.values])
    assert scores(shard, engine.Query.Nearest(vector, WORDS)) == {}
