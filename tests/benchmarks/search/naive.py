"""The plain way on the same engine: float vectors, the text index as it comes, one request for
each leg, and reciprocal ranks added up in Python. In the caller's process, with no owner to ask."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Final

import qdrant_edge as engine

from tests.benchmarks.search.corpus import DIMENSIONS, TENANT, Corpus, Question

_DEPTH: Final = 100
_LIMIT: Final = 10
_K: Final = 60
_MINE: Final = engine.Filter(
    must=[engine.FieldCondition("tenant", match=engine.MatchValue(TENANT))]
)


class NaiveIndex:
    """Built and asked as the engine's examples do it."""

    def __init__(self, folder: Path) -> None:
        vectors = {
            name: engine.EdgeVectorParams(DIMENSIONS, engine.Distance.Cosine)
            for name in ("text", "code")
        }
        self._shard = engine.EdgeShard.create(str(folder), engine.EdgeConfig(vectors=vectors))
        tenant = engine.UpdateOperation.create_field_index("tenant", engine.KeywordIndexParams())
        words = engine.UpdateOperation.create_field_index(
            "body", engine.TextIndexParams(scoring=True)
        )
        self._shard.update(tenant)
        self._shard.update(words)

    def fill(self, corpus: Corpus) -> None:
        for batch in corpus.batches():
            points = [
                engine.Point(each.id, {**each.vectors()}, each.payload(TENANT)) for each in batch
            ]
            self._shard.update(engine.UpdateOperation.upsert_points(points))
        self._shard.optimize()

    def ask(self, question: Question) -> list[str]:
        """Each request brings its passages, as Qdrant's client does by default."""
        return self._best(question, with_payload=True)

    def ask_sparingly(self, question: Question) -> list[str]:
        """Ids alone, and the passages of the best afterwards."""
        best = self._best(question, with_payload=False)
        self._shard.retrieve(list(best), True, False)
        return best

    def _best(self, question: Question, *, with_payload: bool) -> list[str]:
        ranks: defaultdict[str, float] = defaultdict(float)
        for query in (
            engine.Query.Nearest(question.text, "text"),
            engine.Query.Nearest(question.code, "code"),
            engine.TextQuery("body", question.words),
        ):
            request = engine.QueryRequest(
                limit=_DEPTH, query=query, filter=_MINE, with_payload=with_payload
            )
            for rank, each in enumerate(self._shard.query(request), start=1):
                ranks[str(each.id)] += 1 / (_K + rank)
        return sorted(ranks, key=lambda each: -ranks[each])[:_LIMIT]

    def close(self) -> None:
        self._shard.close()
