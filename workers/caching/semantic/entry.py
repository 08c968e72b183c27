"""One stored question, as all workers share it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SemanticEntry:
    """A question and where its answer lies; never the answer."""

    id: str
    text: str
    expires_at: float
    """Seconds since 1970, on the clock of whoever stored it."""
    vector: bytes
    """One signed byte a dimension; only its direction counts. Empty where it lies in an array."""


@dataclass(frozen=True, slots=True)
class Removal:
    """The entry of this id is gone."""

    id: str


Change = SemanticEntry | Removal
