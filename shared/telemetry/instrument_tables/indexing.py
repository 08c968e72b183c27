"""The metrics of indexers."""

from __future__ import annotations

from typing import Final

from shared.telemetry.instrument import counter, histogram, one_of
from shared.telemetry.instrument_tables.road import SECONDS

_OUTCOME: Final = one_of(
    "outcome",
    "completed",
    "failed",
    "skipped",
    "put_off",
    said="completed, failed, skipped, put_off: a server was away, it is tried again",
)
_VECTORS: Final = one_of(
    "vectors", "embedded", "reused", said="embedded, or reused: they were known"
)
_STEP: Final = one_of("step", "prepare", "embed", "write", "finish")

INDEXING: Final = (
    counter(
        "indexed_documents",
        "Documents by what became of them; each time that one is indexed anew.",
        _OUTCOME,
        unit="documents",
    ),
    counter(
        "indexed_chunks",
        "Chunks of documents that were new or had changed, by where their vectors are from.",
        _VECTORS,
        unit="chunks",
    ),
    histogram(
        "indexing_step_duration_seconds",
        "One step of a group of documents, or of a portion of their chunks.",
        _STEP,
        buckets=SECONDS,
    ),
)
