"""Searches whose best hits are read once more, together with the question."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence

import msgspec

from shared.retrieval.asking.deadlines import Dropped, within
from shared.retrieval.asking.question import report
from shared.retrieval.highlighting import highlights, words_of
from shared.retrieval.legs import LegName, LegReport
from shared.retrieval.passage_search import PassageSearch
from shared.retrieval.reranking.reranker import Reranker
from shared.retrieval.reranking.window_cursor import WindowPlace, read_place
from shared.retrieval.search_request import SearchRequest, check_page
from shared.retrieval.search_result import FoundPassage, SearchResult
from shared.settings.indexing.reranker import RerankerSettings
from shared.telemetry.metrics import Metrics


class RerankedSearch:
    """Takes the best hits of a search, as many as are set, and orders them by a reranker.

    A hit's score is then the reranker's, to which `score_threshold` is held. Where that one is
    late or away they stay as they were found, and the leg `reranker` says so. Later pages are cut
    from the same order without asking it again; behind them it reads the next so many.
    """

    def __init__(
        self,
        search: PassageSearch,
        reranker: Reranker,
        settings: RerankerSettings,
        metrics: Metrics,
    ) -> None:
        self._search = search
        self._reranker = reranker
        self._settings = settings
        self._metrics = metrics

    async def search(self, request: SearchRequest) -> SearchResult:
        """As `PassageSearch` has it."""
        if not request.reranks:
            return await self._search.search(request)
        check_page(request)
        place = read_place(request)
        fresh = max(self._settings.candidates, request.limit)
        size = place.size if place.left else fresh
        window = msgspec.structs.replace(
            request, limit=size, cursor=place.begins, score_threshold=0.0, highlight=False
        )
        result = await self._search.search(window)
        legs = result.legs
        if not place.left:
            place, told = await self._ordered(
                request, msgspec.structs.replace(place, size=size), result.hits
            )
            legs = (*legs, *told)
        following = place.following(request.limit, result.next_cursor)
        return msgspec.structs.replace(
            result,
            hits=_page(request, place, result.hits),
            legs=legs,
            next_cursor=following.as_text() if following else None,
            changed=place.changed(request),
        )

    async def _ordered(
        self, request: SearchRequest, place: WindowPlace, hits: Sequence[FoundPassage]
    ) -> tuple[WindowPlace, Sequence[LegReport]]:
        """The place with all of the window left, and what became of the reranker."""
        if not hits:
            return place, ()
        begun = time.perf_counter()
        asking = self._reranker.scores(request.text, [_read(each) for each in hits])
        given = await within(self._settings.timeout_seconds, asking)
        spent = time.perf_counter() - begun
        if isinstance(given, Dropped):
            self._metrics.search_legs_dropped.labels(LegName.RERANKER, given.reason).inc()
            kept = [_named(hit) for hit in hits if hit.score >= request.score_threshold]
            told = report(LegName.RERANKER, None, spent, given.reason)
            return msgspec.structs.replace(place, left=tuple(kept)), [told]
        told = report(LegName.RERANKER, len(hits), spent)
        told = msgspec.structs.replace(told, truncated=given.truncated)
        return _ranked(place, hits, given.scores, request.score_threshold), [told]


def _ranked(
    place: WindowPlace, hits: Sequence[FoundPassage], scores: Sequence[float], threshold: float
) -> WindowPlace:
    """The best first, equal ones as they were."""
    kept = [nth for nth, score in enumerate(scores) if score >= threshold]
    order = sorted(kept, key=lambda nth: -scores[nth])
    return msgspec.structs.replace(
        place,
        left=tuple([_named(hits[nth]) for nth in order]),
        scores=tuple([scores[nth] for nth in order]),
    )


def _page(
    request: SearchRequest, place: WindowPlace, hits: Sequence[FoundPassage]
) -> tuple[FoundPassage, ...]:
    """What of the window is not there any more is left out."""
    there = {_named(hit): hit for hit in hits}
    scores = place.scores or [None] * len(place.left)
    shown = [
        there[id_] if score is None else msgspec.structs.replace(there[id_], score=score)
        for id_, score in zip(place.left[: request.limit], scores, strict=False)
        if id_ in there
    ]
    if not request.highlight:
        return tuple(shown)
    # Of those that are shown alone: to mark fifty takes longer than to find them.
    words = words_of(request.text)
    return tuple([_highlighted(each, words) for each in shown])


def _highlighted(hit: FoundPassage, words: frozenset[str]) -> FoundPassage:
    return msgspec.structs.replace(
        hit,
        highlights=highlights(hit.passage.body, words),
        others=tuple([_highlighted(each, words) for each in hit.others]),
    )


def _named(hit: FoundPassage) -> bytes:
    """In less than half of the characters."""
    return uuid.UUID(hit.id).bytes


def _read(hit: FoundPassage) -> str:
    """What it is judged by: where it stands, and what it says."""
    passage = hit.passage
    return f"{passage.header}\n{passage.body}" if passage.header else passage.body
