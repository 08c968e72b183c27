"""What is asked of a store, and what it answers."""

from __future__ import annotations

import msgspec

from shared.search.attribute_filter import AttributeFilter
from shared.search.point import Passage


class Where(msgspec.Struct, frozen=True):
    """Which of the tenant's points; all that is not `None` must hold."""

    collection: tuple[str, ...] | None = None
    document: tuple[str, ...] | None = None
    source: tuple[str, ...] | None = None
    path: tuple[str, ...] | None = None
    language: tuple[str, ...] | None = None
    kind: tuple[str, ...] | None = None
    below_ver: int | None = None
    """Only what an older delivery wrote."""
    principals: tuple[str, ...] | None = None
    """Only what everybody or one of these may find; `None` asks nobody's leave."""
    attributes: AttributeFilter | None = None


class TextVector(msgspec.Struct, frozen=True, tag="text"):
    """Nearest by the text encoder's vector, by cosine."""

    vector: list[float]
    depth: int = 100
    """How many of its best it gives to the fusion."""


class CodeVector(msgspec.Struct, frozen=True, tag="code"):
    """Nearest by the code encoder's vector, by cosine."""

    vector: list[float]
    depth: int = 100


class Words(msgspec.Struct, frozen=True, tag="words"):
    """BM25 over the body, rare words counted among the tenant's own points."""

    text: str
    depth: int = 100


Leg = TextVector | CodeVector | Words


class Rrf(msgspec.Struct, frozen=True, tag="rrf"):
    """Reciprocal rank fusion, `1 / (k + (rank + 1) / weight - 1)` with ranks from 0.

    At `k = 60` weights hardly count (3 to 1 is about 1 %): weigh with a `k` of 2 to 5.
    """

    k: int
    weights: tuple[float, ...] | None = None
    """One for each leg."""


class Dbsf(msgspec.Struct, frozen=True, tag="dbsf"):
    """The sum of each leg's scores, scaled by their mean and deviation."""


class Query(msgspec.Struct, frozen=True):
    """One question by several legs."""

    legs: tuple[Leg, ...]
    fusion: Rrf | Dbsf | None
    """`None` gives the legs apart."""
    where: Where = Where()
    limit: int = 10
    explained: bool = False
    """Whether fused hits say what each leg gave them, at twice the cost."""
    bare: bool = False
    """Whether legs apart give ids and scores alone: `read` gives the passages of some of them."""


class LegScore(msgspec.Struct, frozen=True):
    """What one leg gave a passage; its rank is from 1."""

    rank: int
    score: float


class RankedId(msgspec.Struct, frozen=True, array_like=True):
    """A passage by its id alone."""

    id: str
    score: float


class Hit(msgspec.Struct, frozen=True):
    """A passage that was found, and why."""

    id: str
    score: float
    """The fusion's, or of legs apart the leg's own."""
    passage: Passage
    legs: tuple[LegScore | None, ...]
    """In the order of the query's legs; `None` where it is not among a leg's best.

    Of a fusion that was not to be explained, none.
    """


class SearchAnswer(msgspec.Struct, frozen=True):
    """The fused hits, or those of each leg where nothing was fused."""

    hits: tuple[Hit, ...]
    apart: tuple[tuple[Hit, ...], ...] = ()
    bare: tuple[tuple[RankedId, ...], ...] = ()
    """Those of each leg, where nothing else was asked for."""
