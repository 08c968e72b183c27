"""The metrics of batches."""

from __future__ import annotations

from typing import Final

from shared.telemetry.instrument import counter, one_of

_BATCH_STATE: Final = one_of(
    "state",
    "completed",
    "failed",
    "expired",
    "cancelled",
    said="how they ended: completed, failed, expired, cancelled",
)
_LINE_OUTCOME: Final = one_of("outcome", "completed", "failed", "expired", "cancelled")

BATCHES: Final = (
    counter("batches", "Batches that ended.", _BATCH_STATE, unit="batches"),
    counter(
        "batch_lines", "Lines of batches, counted when these end.", _LINE_OUTCOME, unit="lines"
    ),
)
