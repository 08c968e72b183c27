"""The ways of finding a passage, and what each of them tells of a search."""

from __future__ import annotations

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


OF_THE_STORE: Final = frozenset({LegName.TEXT, LegName.CODE, LegName.WORDS})


class LegReport(msgspec.Struct, frozen=True):
    """What became of one leg; what was dropped says why, and the others answered."""

    name: LegName
    hits: int | None
    """None where it was dropped, or where the engine fused it and told its hits together."""
    milliseconds: float
    """Of the request that it was part of, its vector included."""
    dropped: str | None = None
    truncated: bool = False
    """Whether the encoder did not see the end of the question."""
