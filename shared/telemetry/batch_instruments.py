"""The metrics of batches."""

from __future__ import annotations

from typing import Final

from shared.telemetry.instrument import Label, counter

_BATCH_STATE: Final = Label("state", 4, "how they ended: completed, failed, expired, cancelled")
_LINE_OUTCOME: Final = Label("outcome", 4, "completed, failed, expired, cancelled")

BATCHES: Final = (
    counter("batches", "Batches that ended.", _BATCH_STATE, unit="batches"),
    counter(
        "batch_lines", "Lines of batches, counted when these end.", _LINE_OUTCOME, unit="lines"
    ),
)
