"""The ways of finding a passage, and what each of them tells of a search."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final

import msgspec


class LegName(StrEnum):
    """The first three are asked of the vector store in one request."""

    TEXT = "text"
    """Nearest by the text encoder."""
    CODE = "code"
    """Nearest by the code encoder."""
    WORDS = "words"
    """BM25 in the vector store."""
    KEYWORD = "keyword"
    """The keyword store: prefixes and typing errors."""
    SYMBOLS = "symbols"
    """Definitions and uses of a name, in SQL."""
    RERANKER = "reranker"
    """Finds nothing: orders what the others found."""


OF_THE_STORE: Final = frozenset({LegName.TEXT, LegName.CODE, LegName.WORDS})
FINDING: Final = frozenset(LegName) - {LegName.RERANKER}


class LegReport(msgspec.Struct, frozen=True):
    """What became of one leg; what was dropped says why, and the others answered."""

    name: LegName
    hits: int | None
    """None where it was dropped, or where the engine fused it and told its hits together."""
    milliseconds: float
    """Of the request that it was part of, its vector included."""
    dropped: str | None = None
    truncated: bool = False
    """Whether the encoder did not see the end of the question, or a reranker those of passages."""


def merged(reports: Iterable[LegReport]) -> Sequence[LegReport]:
    """One for each leg: the hits of all generations, the slowest of them, the first reason."""
    found: dict[LegName, LegReport] = {}
    for told in reports:
        before = found.get(told.name)
        found[told.name] = told if before is None else _joined(before, told)
    return [found[name] for name in LegName if name in found]


def _joined(one: LegReport, other: LegReport) -> LegReport:
    is_counted = one.hits is not None and other.hits is not None
    return LegReport(
        one.name,
        (one.hits or 0) + (other.hits or 0) if is_counted else None,
        max(one.milliseconds, other.milliseconds),
        one.dropped or other.dropped,
        one.truncated or other.truncated,
    )
