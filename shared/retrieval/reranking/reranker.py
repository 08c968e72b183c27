"""What says how well passages answer a question."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from shared.errors import Unavailable


class RerankerUnavailable(Unavailable):
    """It did not answer, or with what is no answer; the message says why."""

    code = "reranker_unavailable"


class PassageScores(NamedTuple):
    """One number for each passage, from 0 to 1, the higher the better."""

    scores: tuple[float, ...]
    truncated: bool
    """Whether passages were cut: longer ones were refused."""


class Reranker(Protocol):
    """Says how well passages answer a question, each for itself."""

    async def scores(self, question: str, passages: Sequence[str]) -> PassageScores:
        """In the order of the passages; raises RerankerUnavailable."""
        ...

    async def close(self) -> None:
        """Give back what it holds."""
        ...
