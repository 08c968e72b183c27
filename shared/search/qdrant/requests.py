"""What is sent to Qdrant: the same collection and the same query as the embedded engine's."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple, assert_never

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
from shared.search.qdrant.sparse_words import WORDS, of_body, of_question
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


def as_point(point: Point, tenant: str, *, with_sparse: bool) -> models.PointStruct:
    vectors: dict[str, models.Vector] = {**point.vectors()}
    if with_sparse and (words := of_body(point.passage.body)):
        vectors[WORDS] = words
    return models.PointStruct(id=point.id, vector=vectors, payload=point.payload(tenant))


def as_change(change: Change, scope: Scope, ver: int) -> models.SetPayloadOperation:
    return models.SetPayloadOperation(
        set_payload=models.SetPayload(
            payload=change.payload(ver), filter=up_to(scope, ver, [change.id])
        )
    )


def requests_of(scope: Scope, query: Query, *, with_sparse: bool) -> list[models.QueryRequest]:
    """One batch: the fusion first, where there is one, then each leg that is to be told."""
    asked = partial(_asked, scope=scope, with_sparse=with_sparse)
    chosen = filter_of(scope, query.where)
    if query.fusion is None:
        return [_alone(asked(leg), chosen, with_payload=not query.bare) for leg in query.legs]
    fused = models.QueryRequest(
        limit=query.limit,
        query=_fusion(query.fusion),
        prefetch=[_prefetch(asked(leg), chosen) for leg in query.legs],
        with_payload=True,
    )
    told = query.legs if query.explained else ()
    return [fused, *(_alone(asked(leg), chosen, with_payload=False) for leg in told)]


class _AskedLeg(NamedTuple):
    """A leg in Qdrant's words."""

    limit: int
    query: models.QueryInterface
    using: str
    params: models.SearchParams


def _prefetch(asked: _AskedLeg, chosen: models.Filter) -> models.Prefetch:
    return models.Prefetch(**asked._asdict(), filter=chosen)


def _alone(asked: _AskedLeg, chosen: models.Filter, *, with_payload: bool) -> models.QueryRequest:
    return models.QueryRequest(**asked._asdict(), filter=chosen, with_payload=with_payload)


def _asked(leg: Leg, scope: Scope, *, with_sparse: bool) -> _AskedLeg:
    rescored = models.QuantizationSearchParams(rescore=True, oversampling=oversampling(leg.depth))
    nearest = models.SearchParams(hnsw_ef=EF_SEARCH, quantization=rescored)
    match leg:
        case TextVector():
            return _AskedLeg(leg.depth, leg.vector, "text", nearest)
        case CodeVector():
            return _AskedLeg(leg.depth, leg.vector, "code", nearest)
        case Words():
            own = models.IdfCorpusParams(corpus=models.Filter(must=[of_tenant(scope)]))
            params = models.SearchParams(idf=own)
            if with_sparse:
                return _AskedLeg(leg.depth, of_question(leg.text), WORDS, params)
            words = models.TextQuery(text=models.TextQueryInput(query=leg.text))
            return _AskedLeg(leg.depth, words, BODY, params)
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
