"""A query in the engine's own words, and its lists in ours."""

from __future__ import annotations

from typing import Final, assert_never, cast

import qdrant_edge as engine

from shared.search.embedded.filtering import filter_of, of_tenant
from shared.search.generation import BODY, EF_SEARCH, OVERSAMPLING
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
from shared.search.ranking import ListedPoint, apart, fused

_RESCORED: Final = engine.QuantizationSearchParams(rescore=True, oversampling=OVERSAMPLING)


def ask(shard: engine.EdgeShard, scope: Scope, query: Query) -> SearchAnswer:
    """One batch: the fusion, and where that is asked each leg by itself to say what it gave."""
    legs = [_leg(leg, scope, query) for leg in query.legs]
    if query.fusion is None:
        alone = [_request(leg, query.limit, with_payload=True) for leg in legs]
        return SearchAnswer(hits=(), apart=apart(_lists(shard, alone)))
    fusion = engine.QueryRequest(
        limit=query.limit,
        query=_fusion(query.fusion),
        prefetches=legs,
        with_payload=True,
    )
    told = legs if query.explained else []
    alone = [_request(leg, leg.limit, with_payload=False) for leg in told]
    best, *ranked = _lists(shard, [fusion, *alone])
    return SearchAnswer(hits=fused(best, ranked))


def _leg(leg: Leg, scope: Scope, query: Query) -> engine.Prefetch:
    asked, params = _asked(leg, scope)
    return engine.Prefetch(
        limit=leg.depth, query=asked, filter=filter_of(scope, query.where), params=params
    )


def _asked(leg: Leg, scope: Scope) -> tuple[engine.ScoringQueryType, engine.SearchParams]:
    match leg:
        case TextVector():
            return _nearest(leg.vector, "text")
        case CodeVector():
            return _nearest(leg.vector, "code")
        case Words():
            own = engine.IdfParams(corpus=engine.Filter(must=[of_tenant(scope)]))
            return engine.TextQuery(BODY, leg.text), engine.SearchParams(idf=own)
        case _:
            assert_never(leg)


def _nearest(vector: list[float], name: str) -> tuple[engine.Query, engine.SearchParams]:
    params = engine.SearchParams(hnsw_ef=EF_SEARCH, quantization=_RESCORED)
    return engine.Query.Nearest([*map(float, vector)], name), params


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


def _request(leg: engine.Prefetch, limit: int, *, with_payload: bool) -> engine.QueryRequest:
    return engine.QueryRequest(
        limit=min(limit, leg.limit),
        query=leg.query,
        filter=leg.filter,
        params=leg.params,
        with_payload=with_payload,
    )


def _lists(shard: engine.EdgeShard, requests: list[engine.QueryRequest]) -> list[list[ListedPoint]]:
    found = shard.query_batch(engine.QueryBatchRequest(requests))
    return [[ListedPoint(str(each.id), each.score, each.payload) for each in one] for one in found]
