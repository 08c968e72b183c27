"""Who is told how far an evaluation has come."""

from __future__ import annotations

from typing import Protocol


class EvaluationProgress(Protocol):
    """One step after the other, each of a known size."""

    def begin(self, step: str, total: int) -> None:
        """A new step; the one before is done."""
        ...

    def advance(self, done: int) -> None:
        """So many more of the step."""
        ...
