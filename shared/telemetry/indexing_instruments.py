"""The metrics of indexers."""

from __future__ import annotations

from typing import Final

from shared.telemetry.instrument import Label, counter, histogram
from shared.telemetry.road_instruments import SECONDS

_OUTCOME: Final = Label(
    "outcome", 4, "completed, failed, skipped, put_off: a server was away, it is tried again"
)
_VECTORS: Final = Label("vectors", 2, "embedded, or reused: they were known")
_STEP: Final = Label("step", 4, "prepare, embed, write, finish")

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
