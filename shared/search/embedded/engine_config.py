"""How a shard of the embedded engine is made and built."""

from __future__ import annotations

from typing import Final

import qdrant_edge as engine

from shared.search.embedded.filtering import FIRST
from shared.search.generation import (
    BODY,
    EF_CONSTRUCT,
    KEYWORDS,
    LINKS,
    QUANTILE,
    Generation,
)
from shared.search.label import ATTRIBUTES, READERS

_FULL_SCAN_KB: Final = 10_000
"""A tenant's points are scanned one by one up to here, which is exact."""
_ALWAYS_KB: Final = 1
"""A builder is started when it is worth it; then it builds whatever there is."""
_THREADS: Final = 1
"""To build, and to search: with one the engine answers in the thread that asks. With more it hands
each leg to a pool and waits for it, a third of a question's time, for parts that are one in all."""


def config_of(generation: Generation) -> engine.EdgeConfig:
    pinned = engine.ScalarQuantizationConfig(
        engine.ScalarType.Int8, quantile=QUANTILE, memory=engine.Memory.Pinned
    )
    return engine.EdgeConfig(
        vectors={
            name: engine.EdgeVectorParams(size, engine.Distance.Cosine)
            for name, size in generation.dimensions().items()
        },
        hnsw_config=engine.HnswIndexConfig(LINKS, EF_CONSTRUCT, _FULL_SCAN_KB, _THREADS),
        quantization_config=pinned,
        optimizers=engine.EdgeOptimizersConfig(indexing_threshold=_ALWAYS_KB),
        max_search_threads=_THREADS,
        wal_enabled=True,
    )


def indexes() -> dict[str, engine.PayloadSchemaParams]:
    """Made before the first point. Links in the graph are for tenants alone: with them for words,
    building 100,000 points took four times as long and found the same.

    Without English stop words and endings words found a sixth less: see docs/evaluation.md.
    """
    words = engine.TextIndexParams(
        tokenizer=engine.TokenizerType.Code,
        lowercase=True,
        ascii_folding=True,
        phrase_matching=True,
        stopwords=engine.StopwordsSet(languages={engine.Language.English}),
        stemmer=engine.SnowballParams(engine.SnowballLanguage.English),
        scoring=True,
        enable_hnsw=False,
    )
    found: dict[str, engine.PayloadSchemaParams] = {
        "tenant": engine.KeywordIndexParams(is_tenant=True),
        FIRST: engine.BoolIndexParams(enable_hnsw=False),
        "ver": engine.IntegerIndexParams(lookup=True, range=True, enable_hnsw=False),
        BODY: words,
    }
    for field in (*KEYWORDS, READERS, ATTRIBUTES):
        found[field] = engine.KeywordIndexParams(enable_hnsw=False)
    return found
