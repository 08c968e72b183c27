"""What a search found, why, and up to what it knew."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from shared.index.collections.figures import SourceFreshness
from shared.index.document import Attributes, Document
from shared.retrieval.legs import LegName, LegReport
from shared.retrieval.routing import SearchRoute
from shared.search.keyword.keyword_store import Highlight
from shared.search.point import Passage
from shared.search.query import LegScore


class FoundPassage(msgspec.Struct, frozen=True):
    """A passage that its document has now, and that the caller may see."""

    id: str
    score: float
    """0 to 1: of what can be reached, near 1 where every leg that answered likes it best.

    It compares the candidates of one question with one another: it is no measure of how right
    the best one is, and scores of two questions are not comparable.
    """
    passage: Passage
    document: Document
    """As the ledger has it: its attributes are those of now."""
    legs: Mapping[LegName, LegScore]
    """What each leg gave it; empty unless it was to be explained."""
    highlights: tuple[Highlight, ...] = ()
    others: tuple[FoundPassage, ...] = ()
    """Further passages of the document, where they are grouped by it; at most three."""

    @property
    def collection_id(self) -> str:
        """The collection that it was found in; a file may be in several."""
        return self.document.collection_id

    @property
    def attributes(self) -> Attributes:
        """What its document is labelled with now."""
        return self.document.attributes


class CollectionFreshness(msgspec.Struct, frozen=True):
    """Up to what a collection is indexed, and what is built beside what was searched."""

    collection_id: str
    generation: str
    next_generation: str | None
    edition: int
    sources: tuple[SourceFreshness, ...] = ()
    """Each with the commit or the time up to which it is indexed."""
    waiting: int = 0
    """Documents that are offered and not indexed yet, counted up to a thousand."""


class SearchResult(msgspec.Struct, frozen=True):
    """One page of hits, the best first."""

    hits: tuple[FoundPassage, ...]
    route: SearchRoute
    legs: tuple[LegReport, ...]
    freshness: tuple[CollectionFreshness, ...]
    next_cursor: str | None = None
    """None where no candidate is left: each leg gives its best hundred, or as many as are set."""
    changed: tuple[str, ...] = ()
    """Collections that changed since the page before: hits may be missing or come twice."""

    @property
    def dropped(self) -> tuple[LegReport, ...]:
        """The legs that did not answer: the hits are those of the others."""
        return tuple(each for each in self.legs if each.dropped)
