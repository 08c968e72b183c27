"""A query in the engine's own words, and its lists in ours."""

from __future__ import annotations

from typing import assert_never, cast

import qdrant_edge as engine

from shared.search.embedded.engine_shard import EngineShard
from shared.search.embedded.filtering import filter_of, filter_of_first, of_tenant
from shared.search.generation import BODY, EF_SEARCH, oversampling
from shared.search.point import Scope
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
from shared.search.ranking import ListedPoint, apart, bare, fused


def ask(opened: EngineShard, scope: Scope, query: Query, *, is_alone: bool = False) -> SearchAnswer:
    """One batch: the fusion, and where that is asked each leg by itself to say what it gave.

    Where a tenant is alone, how rare a word is needs no counting among its points, and the mark of
    the first tenant picks them out for less.
    """
    shard = opened.shard
    is_first = is_alone and opened.first_tenant == scope.tenant
    chosen = filter_of_first(query.where) if is_first else filter_of(scope, query.where)
    corpus = None if is_alone else engine.Filter(must=[of_tenant(scope)])
    legs = [_leg(leg, chosen, corpus) for leg in query.legs]
    if query.fusion is None:
        lists = _lists(shard, [_request(leg, with_payload=not query.bare) for leg in legs])
        return SearchAnswer((), bare=bare(lists)) if query.bare else SearchAnswer((), apart(lists))
    fusion = engine.QueryRequest(
        limit=query.limit,
        query=_fusion(query.fusion),
        prefetches=legs,
        with_payload=True,
    )
    told = legs if query.explained else []
    alone = [_request(leg, with_payload=False) for leg in told]
    best, *ranked = _lists(shard, [fusion, *alone])
    return SearchAnswer(hits=fused(best, ranked))


def _leg(leg: Leg, chosen: engine.Filter, corpus: engine.Filter | None) -> engine.Prefetch:
    asked, params = _asked(leg, corpus)
    return engine.Prefetch(limit=leg.depth, query=asked, filter=chosen, params=params)


def _asked(
    leg: Leg, corpus: engine.Filter | None
) -> tuple[engine.ScoringQueryType, engine.SearchParams]:
    match leg:
        case TextVector():
            return _nearest(leg, "text")
        case CodeVector():
            return _nearest(leg, "code")
        case Words():
            own = engine.IdfParams(corpus=corpus) if corpus is not None else None
            return engine.TextQuery(BODY, leg.text), engine.SearchParams(idf=own)
        case _:
            assert_never(leg)


def _nearest(leg: TextVector | CodeVector, name: str) -> tuple[engine.Query, engine.SearchParams]:
    rescored = engine.QuantizationSearchParams(rescore=True, oversampling=oversampling(leg.depth))
    params = engine.SearchParams(hnsw_ef=EF_SEARCH, quantization=rescored)
    return engine.Query.Nearest(leg.vector, name), params


def _fusion(fusion: Rrf | Dbsf) -> engine.Fusion:
    """Of a class within the one that the engine's stub names."""
    match fusion:
        case Rrf():
            weights = None if fusion.weights is None else list(fusion.weights)
            return cast(engine.Fusion, engine.Fusion.Rrf(k=fusion.k, weights=weights))
        case Dbsf():
            return cast(engine.Fusion, engine.Fusion.Dbsf())
        case _:
            assert_never(fusion)


def _request(leg: engine.Prefetch, *, with_payload: bool) -> engine.QueryRequest:
    return engine.QueryRequest(
        limit=leg.limit,
        query=leg.query,
        filter=leg.filter,
        params=leg.params,
        with_payload=with_payload,
    )


def _lists(shard: engine.EdgeShard, requests: list[engine.QueryRequest]) -> list[list[ListedPoint]]:
    found = shard.query_batch(engine.QueryBatchRequest(requests))
    return [[ListedPoint(str(each.id), each.score, each.payload) for each in one] for one in found]
