"""Risk: 0 to 1 for each user of a tenant, from its own decaying record.

Each count contributes `largest x excess / (excess + half)`, where `excess` is what exceeds the
`free` part; contributions join as independent probabilities do. Every count halves with each
half-life, so a user that behaves is trusted again by itself. The script computes this; the
formula here is the same one, for tests and for people.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Final

from shared.reservations.account import RecordCount

LARGEST_RISK: Final = 0.95
"""A user always keeps a twentieth of its allowance: nobody is locked out by a score."""


@dataclass(frozen=True, slots=True)
class Weight:
    """How much one count of the record matters."""

    count: RecordCount
    largest: float
    """The contribution that it approaches."""
    half: float
    """The excess at which half of `largest` is reached."""
    free: float | None
    """What is not held against anyone; None is one full bucket of the user's requests."""
    singular: str
    plural: str


WEIGHTS: Final[tuple[Weight, ...]] = (
    Weight(RecordCount.REFUSALS, 0.5, 20, 5, "refusal", "refusals"),
    Weight(RecordCount.REPEATS, 0.6, 10, None, "identical message", "identical messages"),
    Weight(
        RecordCount.BURSTS,
        0.4,
        50,
        0,
        "message far above its usual rate",
        "messages far above its usual rate",
    ),
    Weight(
        RecordCount.BLOCKS,
        0.8,
        3,
        0,
        "answer blocked by a validator",
        "answers blocked by a validator",
    ),
    Weight(RecordCount.INJECTIONS, 0.8, 2, 0, "injection pattern", "injection patterns"),
    Weight(RecordCount.COMPLAINTS, 0.3, 5, 0, "complaint", "complaints"),
)
"""In the order of RecordCount."""


def risk_of(counts: Sequence[float], *, full_bucket: float) -> float:
    """The risk of a record; `full_bucket` is the burst of the user's requests."""
    trust = prod(1 - part for _, part in _contributions(counts, full_bucket))
    return min(1 - trust, LARGEST_RISK)


def explain(risk: float, counts: Sequence[int], *, full_bucket: float) -> str:
    """Why, the heaviest reason first: "risk 0.62: 114 identical messages and 9 refusals …".

    Empty when there is nothing to explain. Counts decay, so they are of the recent past.
    """
    if risk < 0.005:
        return ""
    parts = sorted(_contributions(counts, full_bucket), key=lambda part: part[1], reverse=True)
    said = [sentence for sentence, part in parts if part > 0]
    return f"risk {risk:.2f}: {', '.join(said)} recently"


def _contributions(counts: Sequence[float], full_bucket: float) -> Iterator[tuple[str, float]]:
    for weight, count in zip(WEIGHTS, counts, strict=True):
        excess = max(0.0, count - (full_bucket if weight.free is None else weight.free))
        word = weight.singular if round(count) == 1 else weight.plural
        yield f"{round(count)} {word}", weight.largest * excess / (excess + weight.half)
