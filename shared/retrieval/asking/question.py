"""A question as its legs are asked it, and what they answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from shared.retrieval.asking.question_vectors import QuestionVector
from shared.retrieval.legs import LegName, LegReport
from shared.search.point import Passage, Scope
from shared.search.query import Dbsf, Hit, RankedId, Rrf, Where


class LegQuestion(NamedTuple):
    """What every leg of one generation is asked."""

    text: str
    collections: tuple[str, ...]
    """Those that are in the generation; `where` names them too."""
    where: Where
    weights: Mapping[LegName, float]
    """Of the legs that are asked."""
    vectors: Mapping[LegName, QuestionVector]
    fusion: Rrf | Dbsf
    depth: int
    """How many of its best each leg gives."""
    wanted: int
    """How many candidates are enough, where an engine fuses: each costs its passage."""
    explain: bool


class LegAnswers(NamedTuple):
    """What one request gave."""

    lists: Mapping[LegName, Sequence[RankedId]]
    """Of each leg that answered, the best first."""
    reports: Sequence[LegReport]
    passages: Mapping[str, Passage] = {}
    """Those of its lists that came along; the others are read from the vector store."""
    fused: Sequence[Hit] | None = None
    """The engine's own fusion of them, in place of lists."""


class SearchLegs(Protocol):
    """One or more legs that are one request."""

    @property
    def names(self) -> frozenset[LegName]:
        """Those that it can ask."""
        ...

    async def ask(self, scope: Scope, question: LegQuestion, *, alone: bool) -> LegAnswers | None:
        """Within its own deadline, missing legs named; None where none of its legs is asked.

        `alone` says that nobody else is: then it may fuse what it has.
        """
        ...


def report(
    name: LegName, hits: int | None, seconds: float, dropped: str | None = None
) -> LegReport:
    """One leg's; `seconds` as they are counted, in milliseconds."""
    return LegReport(name, hits, round(seconds * 1000, 2), dropped)
