"""A question in, the passages in that answer it: the one way to search the index."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final, NamedTuple

import msgspec

from shared.clock import Clock
from shared.errors import InvalidRequest, Unavailable
from shared.index.collections.catalogue import CollectionCatalogue
from shared.index.collections.figures import CollectionFigures
from shared.index.documents.passage_rows import PassageRows
from shared.retrieval.asking.generation_search import GenerationAnswer, GenerationSearch
from shared.retrieval.asking.question import LegQuestion
from shared.retrieval.asking.question_vectors import QuestionVectors
from shared.retrieval.legs import LegName, LegReport, merged
from shared.retrieval.paging import Cursor, changed_since, following, read_cursor
from shared.retrieval.routing import SearchMode, SearchRoute, names_in, route_of
from shared.retrieval.search_request import SearchRequest, check_request
from shared.retrieval.search_result import CollectionFreshness, SearchResult
from shared.retrieval.showing import HitPage, Showing
from shared.search.checking_queries import DEEPEST
from shared.search.point import Scope
from shared.search.query import Dbsf, Rrf
from shared.settings.indexing.search import FusionKind, SearchSettings
from shared.telemetry.metrics import Metrics

_SPARE: Final = 20
"""Candidates beyond twice the limit: some may be dropped by the ledger."""
_ACTIVE_FOR: Final = timedelta(minutes=1)
_DEEPER: Final = 4
_ALL: Final = DEEPEST


class SearchUnavailable(Unavailable):
    """No leg answered; each is named with its reason."""

    code = "search_unavailable"


class _Answer(NamedTuple):
    """What all generations gave to one way of asking."""

    page: HitPage
    reports: Sequence[LegReport]
    depth: int


class Search:
    """Searches collections of one tenant at a time; many searches may run at once.

    Stores propose, the ledger decides: what was removed, revoked or not yet written whole is no
    hit from the moment its row says so. A leg that fails is named in the result; raises
    `SearchUnavailable` where none answered, `LedgerUnavailable`, and `InvalidRequest`.
    """

    def __init__(
        self,
        vectors: QuestionVectors,
        legs: GenerationSearch,
        rows: PassageRows,
        catalogue: CollectionCatalogue,
        figures: CollectionFigures,
        settings: SearchSettings,
        metrics: Metrics,
        *,
        clock: Clock,
        available: frozenset[LegName],
    ) -> None:
        self._vectors = vectors
        self._legs = legs
        self._showing = Showing(rows)
        self._catalogue = catalogue
        self._figures = figures
        self._settings = settings
        self._metrics = metrics
        self._clock = clock
        self._available = available

    async def search(self, request: SearchRequest) -> SearchResult:
        """One page; a question that its rule's legs find nothing for is asked of the others too."""
        check_request(request, now=self._clock.now())
        begun = self._clock.monotonic()
        cursor = read_cursor(request.cursor, request) if request.cursor else None
        (route, answer), freshness, _ = await asyncio.gather(
            self._routed(request, cursor), self._freshness(request), self._touch(request)
        )
        seconds = self._clock.monotonic() - begun
        self._metrics.search_duration_seconds.labels(route.mode).observe(seconds)
        self._count_dropped(answer.reports)
        return SearchResult(
            answer.page.hits,
            route,
            tuple(answer.reports),
            freshness,
            self._next_cursor(request, route, cursor, answer),
            changed_since(cursor, request),
        )

    def _count_dropped(self, reports: Sequence[LegReport]) -> None:
        for each in reports:
            if each.dropped:
                self._metrics.search_legs_dropped.labels(each.name, each.dropped).inc()

    async def _routed(
        self, request: SearchRequest, cursor: Cursor | None
    ) -> tuple[SearchRoute, _Answer]:
        """The page before may have gone another way than the rules say."""
        route = route_of(request.text, cursor.mode if cursor else request.mode)
        answer = await self._answered(request, route, cursor)
        if _found_nothing(request, route, cursor, answer):
            rule = f"{route.rule}, which found nothing"
            route = SearchRoute(SearchMode.MIXED, rule, _MIXED.weights)
            answer = await self._answered(request, route, cursor)
        return route, answer

    async def _touch(self, request: SearchRequest) -> None:
        """Those that nobody used for a while: to look costs as much as to search their rows."""
        long_ago = self._clock.now() - _ACTIVE_FOR
        idle = [each.id for each in request.collections if each.last_active_at < long_ago]
        if idle:
            await self._catalogue.touch(request.tenant_id, idle)

    async def _answered(
        self, request: SearchRequest, route: SearchRoute, cursor: Cursor | None
    ) -> _Answer:
        """Deeper where so many candidates are no hits that the page is not full."""
        weights = self._weights(request, route)
        vectors = await self._vectors.of(request.text, weights)
        enough = 2 * request.limit + _SPARE
        depth = cursor.depth if cursor else max(self._settings.depth, enough)
        wanted = _ALL if cursor or request.group_by_document else enough
        while True:
            depth = min(depth, DEEPEST)
            question = LegQuestion(
                request.text, (), request.where, weights, vectors, self._fusion(request), depth,
                wanted, request.explain,
            )  # fmt: skip
            answers = await self._asked(request, question)
            reports = merged(told for answer in answers for told in answer.reports)
            candidates = [each for answer in answers for each in answer.candidates]
            page = await self._showing.page(request, candidates, cursor)
            is_enough = len(page.hits) == request.limit or request.score_threshold > 0
            is_full = any(answer.is_full for answer in answers)
            if cursor or is_enough or not is_full or depth == DEEPEST:
                return _Answer(page, reports, depth)
            if wanted == _ALL:
                depth *= _DEEPER
            wanted = _ALL

    async def _asked(
        self, request: SearchRequest, question: LegQuestion
    ) -> Sequence[GenerationAnswer]:
        """Each generation once, for all of the collections that are in it."""
        asking = []
        for generation, ids in _by_generation(request).items():
            where = msgspec.structs.replace(
                request.where, collection=ids, principals=request.principals
            )
            own = question._replace(
                collections=ids,
                where=where,
                vectors=self._vectors.for_generation(generation, question.vectors),
            )
            asking.append(self._legs.ask(Scope(generation, request.tenant_id), own))
        answers = await asyncio.gather(*asking)
        reports = merged(told for answer in answers for told in answer.reports)
        if answers and not any(answer.has_answered for answer in answers):
            self._count_dropped(reports)
            reasons = ", ".join(f"{each.name}: {each.dropped}" for each in reports)
            raise SearchUnavailable(f"No part of the index answered ({reasons}): ask again.")
        return answers

    def _weights(self, request: SearchRequest, route: SearchRoute) -> Mapping[LegName, float]:
        """Of the legs that are there and have something to ask."""
        there = self._available
        if not names_in(request.text):
            there -= {LegName.SYMBOLS}
        chosen = route.weights if request.weights is None else request.weights
        weights = {name: weight for name, weight in chosen.items() if weight and name in there}
        if not weights:
            raise InvalidRequest(
                f"None of the legs {', '.join(chosen)} can be asked this here: name others.",
                param="weights" if request.weights is not None else "mode",
            )
        return weights

    def _fusion(self, request: SearchRequest) -> Rrf | Dbsf:
        if request.fusion is not None:
            return request.fusion
        if self._settings.fusion is FusionKind.RRF:
            return Rrf(self._settings.rrf_k)
        return Dbsf()

    async def _freshness(self, request: SearchRequest) -> tuple[CollectionFreshness, ...]:
        """Of the generations and editions that were asked for, whatever there is by now."""
        ids = [each.id for each in request.collections]
        known = await self._figures.freshness(request.tenant_id, ids)
        return tuple(
            CollectionFreshness(
                each.id,
                each.generation,
                each.next_generation,
                each.edition,
                known[each.id].sources if each.id in known else (),
                known[each.id].waiting if each.id in known else 0,
            )
            for each in request.collections
        )

    @staticmethod
    def _next_cursor(
        request: SearchRequest, route: SearchRoute, cursor: Cursor | None, answer: _Answer
    ) -> str | None:
        if not answer.page.is_followed:
            return None
        last = answer.page.hits[-1]
        return following(request, route.mode, answer.depth, cursor, last.score, last.id)


_MIXED: Final = route_of("", SearchMode.MIXED)


def _found_nothing(
    request: SearchRequest, route: SearchRoute, cursor: Cursor | None, answer: _Answer
) -> bool:
    return (
        request.mode is SearchMode.AUTO
        and request.weights is None
        and cursor is None
        and route.mode is not SearchMode.MIXED
        and not answer.page.hits
        and not request.score_threshold
    )


def _by_generation(request: SearchRequest) -> Mapping[str, tuple[str, ...]]:
    """Their collections; one that was never written to has none."""
    found: dict[str, tuple[str, ...]] = {}
    for each in request.collections:
        if each.generation:
            found[each.generation] = (*found.get(each.generation, ()), each.id)
    return found
