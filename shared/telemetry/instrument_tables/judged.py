"""The metrics of what was said of answers."""

from __future__ import annotations

from typing import Final

from shared.telemetry.instrument import Label, counter, one_of

LEANING: Final = one_of(
    "leaning",
    "positive",
    "negative",
    "unknown",
    said="positive, negative, unknown: a label that says neither",
)
JUDGED_BY: Final = one_of("by", "person", "judge")
OUTCOME: Final = one_of(
    "outcome", "success", "handed_off", "not_completed", "negative", "asked_again"
)
CAUGHT: Final = one_of("kind", "caught", "clean")
VARIANT: Final = Label("variant", 8, "the variant's name in the settings; empty without one")

JUDGED: Final = (
    counter(
        "feedback",
        "Verdicts on answers, each that changed something.",
        LEANING,
        JUDGED_BY,
        unit="verdicts",
    ),
    counter(
        "outcomes",
        "Conversations that were closed, by what they came to; one that goes on counts once.",
        OUTCOME,
        VARIANT,
        unit="conversations",
    ),
    counter("outcome_cost", "What they cost, where that is known.", VARIANT, unit="dollars"),
    counter(
        "outcome_turns",
        "Their turns, by whether something was caught that is not so.",
        CAUGHT,
        VARIANT,
        unit="turns",
    ),
)
