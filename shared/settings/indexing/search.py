"""Searching: how legs are put together, how deep they look, and how long each is waited for."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

import msgspec

from shared.settings.indexing.reranker import RerankerSettings
from shared.settings.units import Positive, PositiveInt


class FusionKind(StrEnum):
    """How the lists of several legs become one."""

    DBSF = "dbsf"
    """By scores, each leg's scaled by their mean and deviation."""
    RRF = "rrf"
    """By ranks alone."""


class SearchSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Questions to the index. The defaults are those that docs/evaluation.md found best."""

    fusion: FusionKind = FusionKind.DBSF
    """For requests that name none."""
    rrf_k: PositiveInt = 60
    """Of `rrf`: the larger, the less the first ranks count. Weights hardly count above 5."""
    depth: PositiveInt = 100
    """How many of its best each leg gives; pages end where these end."""
    encoder_timeout_seconds: Positive = 5.0
    """For the vectors of a question; without them the other legs answer."""
    store_timeout_seconds: Positive = 3.0
    """For vectors and words, which are one request."""
    keyword_timeout_seconds: Positive = 1.0
    """For the keyword server."""
    symbols_timeout_seconds: Positive = 1.0
    """For names of code, in the ledger's database."""
    reranker: RerankerSettings = RerankerSettings()
    """Reads the best that was found once more, and orders it anew; off unless it has a URL."""

    def faults(self) -> Iterator[str]:
        """One sentence for each fault of the section, with its fix."""
        yield from self.reranker.faults("search.reranker")
