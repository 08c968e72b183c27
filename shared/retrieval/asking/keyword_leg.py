"""The keyword server, beside the vector store."""

from __future__ import annotations

import time

from shared.errors import NotFound
from shared.retrieval.asking.deadlines import Dropped, within
from shared.retrieval.asking.question import LegAnswers, LegQuestion, report
from shared.retrieval.legs import LegName
from shared.search.keyword.keyword_store import KeywordHit, KeywordStore
from shared.search.point import Scope
from shared.search.query import RankedId


class KeywordLeg:
    """Prefixes and typing errors, where there is such a server."""

    def __init__(self, store: KeywordStore | None, *, timeout_seconds: float) -> None:
        self._store = store
        self._timeout_seconds = timeout_seconds

    @property
    def names(self) -> frozenset[LegName]:
        return frozenset({LegName.KEYWORD})

    async def ask(self, scope: Scope, question: LegQuestion, *, alone: bool) -> LegAnswers | None:  # noqa: ARG002
        """None where it is not asked, or there is none."""
        if self._store is None or LegName.KEYWORD not in question.weights:
            return None
        begun = time.perf_counter()
        asking = self._asked(self._store, scope, question)
        found = await within(self._timeout_seconds, asking)
        spent = time.perf_counter() - begun
        if isinstance(found, Dropped):
            return LegAnswers({}, [report(LegName.KEYWORD, None, spent, found.reason)])
        ranked = [RankedId(hit.id, hit.score) for hit in found]
        told = report(LegName.KEYWORD, len(ranked), spent)
        passages = {hit.id: hit.passage for hit in found}
        return LegAnswers({LegName.KEYWORD: ranked}, [told], passages)

    async def _asked(
        self, store: KeywordStore, scope: Scope, question: LegQuestion
    ) -> tuple[KeywordHit, ...]:
        try:
            return await store.query(scope, question.text, question.where, limit=question.depth)
        except NotFound:  # nothing was written to it yet
            return ()
