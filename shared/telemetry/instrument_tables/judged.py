"""The metrics of what was said of answers."""

from __future__ import annotations

from typing import Final

from shared.telemetry.instrument import counter, one_of

LEANING: Final = one_of(
    "leaning",
    "positive",
    "negative",
    "unknown",
    said="positive, negative, unknown: a label that says neither",
)
JUDGED_BY: Final = one_of("by", "person", "judge")

JUDGED: Final = (
    counter(
        "feedback",
        "Verdicts on answers, each that changed something.",
        LEANING,
        JUDGED_BY,
        unit="verdicts",
    ),
)
