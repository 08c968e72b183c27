"""Both vectors and the words, in one request to the vector store."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence

from shared.errors import NotFound
from shared.retrieval.asking.deadlines import Dropped, within
from shared.retrieval.asking.question import LegAnswers, LegQuestion
from shared.retrieval.asking.question_vectors import QuestionVector
from shared.retrieval.legs import OF_THE_STORE, LegName, LegReport
from shared.search.checking_queries import DEEPEST
from shared.search.point import Passage, Scope
from shared.search.query import (
    CodeVector,
    Dbsf,
    Leg,
    Query,
    Rrf,
    SearchAnswer,
    TextVector,
    Words,
)
from shared.search.vector_store import VectorStore


class StoreLegs:
    """Asks what the question has vectors for, and its words.

    The store's engine fuses them where nobody else is asked, nothing is to be explained, and it
    can: it has no weights for DBSF.
    """

    def __init__(self, store: VectorStore, *, timeout_seconds: float) -> None:
        self._store = store
        self._timeout_seconds = timeout_seconds

    @property
    def names(self) -> frozenset[LegName]:
        return OF_THE_STORE

    async def ask(self, scope: Scope, question: LegQuestion, *, alone: bool) -> LegAnswers | None:
        """None where none of the three is asked."""
        asked = [name for name in LegName if name in question.weights.keys() & OF_THE_STORE]
        if not asked:
            return None
        legs = dict(_legs(question))
        missing = [_missing(name, question.vectors[name]) for name in asked if name not in legs]
        if not legs:
            return LegAnswers({}, missing)
        fusion = _engine_fusion(question, legs) if alone and not question.explain else None
        depth = question.depth
        limit = min(question.wanted, depth * len(legs), DEEPEST) if fusion else depth
        query = Query(
            tuple(legs.values()), fusion, question.where, limit=limit, bare=fusion is None
        )
        begun = time.perf_counter()
        answer = await within(self._timeout_seconds, self._asked(scope, query))
        return _answers(answer, question, [*legs], missing, time.perf_counter() - begun)

    async def _asked(self, scope: Scope, query: Query) -> SearchAnswer:
        try:
            return await self._store.query(scope, query)
        except NotFound:  # nothing was written to it yet
            return SearchAnswer((), bare=((),) * len(query.legs))

    async def read(self, scope: Scope, ids: Sequence[str]) -> Mapping[str, Passage] | Dropped:
        """The passages of those of these ids that are there."""
        if not ids:
            return {}
        return await within(self._timeout_seconds, self._read(scope, ids))

    async def _read(self, scope: Scope, ids: Sequence[str]) -> Mapping[str, Passage]:
        try:
            return await self._store.read(scope, ids)
        except NotFound:
            return {}


def _legs(question: LegQuestion) -> Iterator[tuple[LegName, Leg]]:
    kinds: dict[LegName, type[TextVector | CodeVector]] = {
        LegName.TEXT: TextVector,
        LegName.CODE: CodeVector,
    }
    for name, kind in kinds.items():
        made = question.vectors.get(name)
        if name in question.weights and made is not None and made.vector is not None:
            yield name, kind(made.vector, question.depth)
    if LegName.WORDS in question.weights:
        yield LegName.WORDS, Words(question.text, question.depth)


def _engine_fusion(question: LegQuestion, legs: Mapping[LegName, Leg]) -> Rrf | Dbsf | None:
    """What the engine does as it is done here; of one leg nothing is fused."""
    weights = tuple(question.weights[name] for name in legs)
    if len(legs) < 2:
        return None
    if isinstance(question.fusion, Rrf):
        return Rrf(question.fusion.k, weights)
    return question.fusion if len(set(weights)) == 1 else None


def _answers(
    answer: SearchAnswer | Dropped,
    question: LegQuestion,
    asked: Sequence[LegName],
    missing: Sequence[LegReport],
    seconds: float,
) -> LegAnswers:
    none = QuestionVector(None)
    made = {name: question.vectors.get(name, none) for name in asked}
    if isinstance(answer, Dropped):
        gone = [_told(name, None, made[name], seconds, answer.reason) for name in asked]
        return LegAnswers({}, [*missing, *gone])
    if not answer.bare:
        told = [_told(name, None, made[name], seconds) for name in asked]
        return LegAnswers({}, [*missing, *told], fused=answer.hits)
    lists = dict(zip(asked, answer.bare, strict=True))
    told = [_told(name, len(lists[name]), made[name], seconds) for name in asked]
    return LegAnswers(lists, [*missing, *told])


def _missing(name: LegName, vector: QuestionVector) -> LegReport:
    return _told(name, None, vector, 0.0, vector.dropped)


def _told(
    name: LegName,
    hits: int | None,
    vector: QuestionVector,
    seconds: float,
    dropped: str | None = None,
) -> LegReport:
    milliseconds = round(seconds * 1000 + vector.milliseconds, 2)
    return LegReport(name, hits, milliseconds, dropped, vector.truncated)
