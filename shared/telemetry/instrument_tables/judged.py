"""The metrics of what was said of answers."""

from __future__ import annotations

from typing import Final

from shared.telemetry.instrument import Label, counter, gauge, one_of

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
VERSION: Final = Label(
    "version", 8, "of Forebay; of an evaluation, what whoever ran it called what was evaluated"
)
GOLDEN_SET: Final = Label("set", 8, "the golden set's name; those that were run last")
BOUND: Final = one_of("bound", "mean", "low", "high", said="mean; low, high: its 95 % interval")
_OF_DAYS: Final = "in conversations that were closed within seven days"
_OF_RUN: Final = "in the newest whole run of each golden set"
_TOLD_OF_DAYS: Final = (VERSION, VARIANT)
_TOLD_OF_RUN: Final = (GOLDEN_SET, VERSION, VARIANT, BOUND)

FIGURES_THAT_MATTER: Final = tuple(
    gauge(f"{kind}_{name}", f"{what} {where}; one worker tells it.", *labels, unit=unit)
    for kind, where, labels in (
        ("outcome", _OF_DAYS, _TOLD_OF_DAYS),
        ("evaluation", _OF_RUN, _TOLD_OF_RUN),
    )
    for name, what, unit in (
        ("task_completion", "The share that was completed,", "1"),
        ("hallucination", "The share in which something was said that is not so,", "1"),
        ("satisfaction", "The mean of what people said, 0 to 1,", "1"),
        ("cost_per_success", "What each success cost,", "dollars"),
    )
)

JUDGED: Final = (
    *FIGURES_THAT_MATTER,
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
