"""What is sent to Qdrant: the same collection and the same query as the embedded engine's."""

from __future__ import annotations

from typing import assert_never

from qdrant_client import models

from shared.search.generation import (
    BODY,
    EF_CONSTRUCT,
    EF_SEARCH,
    KEYWORDS,
    LINKS,
    QUANTILE,
    Generation,
    oversampling,
)
from shared.search.label import ATTRIBUTES, READERS
from shared.search.point import Change, Point, Scope
from shared.search.qdrant.filtering import filter_of, of_tenant, up_to
from shared.search.query import CodeVector, Dbsf, Leg, Query, Rrf, TextVector, Words


def vectors_of(generation: Generation) -> dict[str, models.VectorParams]:
    return {
        name: models.VectorParams(size=size, distance=models.Distance.COSINE)
        for name, size in generation.dimensions().items()
    }


def graph() -> models.HnswConfigDiff:
    return models.HnswConfigDiff(m=LINKS, ef_construct=EF_CONSTRUCT)


def pinned() -> models.ScalarQuantization:
    return models.ScalarQuantization(
        scalar=models.ScalarQuantizationConfig(
            type=models.ScalarType.INT8, quantile=QUANTILE, memory=models.Memory.PINNED
        )
    )


def indexes(*, with_words: bool) -> dict[str, models.PayloadSchemaParams]:
    """Made before the first point; links in the graph are for tenants alone."""
    found: dict[str, models.PayloadSchemaParams] = {
        "tenant": models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD, is_tenant=True),
        "ver": models.IntegerIndexParams(
            type=models.IntegerIndexType.INTEGER, lookup=True, range=True, enable_hnsw=False
        ),
    }
    for field in (*KEYWORDS, READERS, ATTRIBUTES):
        found[field] = models.KeywordIndexParams(
            type=models.KeywordIndexType.KEYWORD, enable_hnsw=False
        )
    if with_words:
        found[BODY] = _words_index()
    return found


def _words_index() -> models.TextIndexParams:
    return models.TextIndexParams(
        type=models.TextIndexType.TEXT,
        tokenizer=models.TokenizerType.CODE,
        lowercase=True,
        ascii_folding=True,
        phrase_matching=True,
        stopwords=models.StopwordsSet(languages=[models.Language.ENGLISH]),
        stemmer=models.SnowballParams(
            type=models.Snowball.SNOWBALL, language=models.SnowballLanguage.ENGLISH
        ),
        scoring=True,
        enable_hnsw=False,
    )


def as_point(point: Point, tenant: str) -> models.PointStruct:
    vectors: dict[str, models.Vector] = {**point.vectors()}
    return models.PointStruct(id=point.id, vector=vectors, payload=point.payload(tenant))


def as_change(change: Change, scope: Scope, ver: int) -> models.SetPayloadOperation:
    return models.SetPayloadOperation(
        set_payload=models.SetPayload(
            payload=change.payload(ver), filter=up_to(scope, ver, [change.id])
        )
    )


def requests_of(scope: Scope, query: Query) -> list[models.QueryRequest]:
    """One batch: the fusion first, where there is one, then each leg that is to be told."""
    chosen = filter_of(scope, query.where)
    if query.fusion is None:
        return [_alone(leg, scope, chosen, with_payload=not query.bare) for leg in query.legs]
    fused = models.QueryRequest(
        limit=query.limit,
        query=_fusion(query.fusion),
        prefetch=[_prefetch(leg, scope, chosen) for leg in query.legs],
        with_payload=True,
    )
    told = query.legs if query.explained else ()
    return [fused, *(_alone(leg, scope, chosen, with_payload=False) for leg in told)]


def _prefetch(leg: Leg, scope: Scope, chosen: models.Filter) -> models.Prefetch:
    asked, using, params = _asked(leg, scope)
    return models.Prefetch(limit=leg.depth, query=asked, using=using, params=params, filter=chosen)


def _alone(
    leg: Leg, scope: Scope, chosen: models.Filter, *, with_payload: bool
) -> models.QueryRequest:
    asked, using, params = _asked(leg, scope)
    return models.QueryRequest(
        limit=leg.depth,
        query=asked,
        using=using,
        params=params,
        filter=chosen,
        with_payload=with_payload,
    )


def _asked(leg: Leg, scope: Scope) -> tuple[models.QueryInterface, str, models.SearchParams]:
    rescored = models.QuantizationSearchParams(rescore=True, oversampling=oversampling(leg.depth))
    nearest = models.SearchParams(hnsw_ef=EF_SEARCH, quantization=rescored)
    match leg:
        case TextVector():
            return leg.vector, "text", nearest
        case CodeVector():
            return leg.vector, "code", nearest
        case Words():
            own = models.IdfCorpusParams(corpus=models.Filter(must=[of_tenant(scope)]))
            words = models.TextQuery(text=models.TextQueryInput(query=leg.text))
            return words, BODY, models.SearchParams(idf=own)
        case _:
            assert_never(leg)


def _fusion(fusion: Rrf | Dbsf) -> models.Query:
    match fusion:
        case Rrf():
            weights = None if fusion.weights is None else list(fusion.weights)
            return models.RrfQuery(rrf=models.Rrf(k=fusion.k, weights=weights))
        case Dbsf():
            return models.FusionQuery(fusion=models.Fusion.DBSF)
        case _:
            assert_never(fusion)
