"""What a search found, as it is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from shared.retrieval.legs import LegName, LegReport
from shared.retrieval.routing import SearchRoute
from shared.retrieval.search_result import CollectionFreshness, FoundPassage, SearchResult
from shared.search.keyword.keyword_store import Highlight
from shared.search.query import LegScore


class FoundDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The document of a passage, as it is now."""

    id: str
    collection_id: str
    source: str
    path: str
    title: str | None
    attributes: dict[str, str | float | bool]


class FoundPassageObject(msgspec.Struct, frozen=True, kw_only=True):
    """A passage, where it stands, and how it was found.

    Highlights are spans of `text` in characters; `legs` are told where they were asked for.
    """

    id: str
    object: Literal["search.passage"] = "search.passage"
    score: float
    text: str
    header: str
    symbol: str | None
    language: str
    kind: str
    first_line: int
    last_line: int
    document: FoundDocument
    highlights: tuple[Highlight, ...]
    legs: Mapping[LegName, LegScore]
    others: tuple[FoundPassageObject, ...]


class SearchAnswerObject(msgspec.Struct, frozen=True, kw_only=True):
    """A page of passages, the best first; `next_cursor` is null where none is left."""

    object: Literal["search.results"] = "search.results"
    query: str
    data: list[FoundPassageObject]
    route: SearchRoute
    legs: Sequence[LegReport]
    freshness: Sequence[CollectionFreshness]
    changed: Sequence[str]
    """Collections that changed since the page before."""
    has_more: bool
    next_cursor: str | None


def search_answer(query: str, result: SearchResult) -> SearchAnswerObject:
    """All that a search says of itself."""
    return SearchAnswerObject(
        query=query,
        data=[_passage(each) for each in result.hits],
        route=result.route,
        legs=result.legs,
        freshness=result.freshness,
        changed=result.changed,
        has_more=result.next_cursor is not None,
        next_cursor=result.next_cursor,
    )


def _passage(hit: FoundPassage) -> FoundPassageObject:
    passage, document = hit.passage, hit.document
    return FoundPassageObject(
        id=hit.id,
        score=hit.score,
        text=passage.body,
        header=passage.header,
        symbol=passage.symbol,
        language=passage.language,
        kind=passage.kind,
        first_line=passage.first_line,
        last_line=passage.last_line,
        document=FoundDocument(
            id=document.id,
            collection_id=document.collection_id,
            source=document.source,
            path=document.path,
            title=document.title,
            attributes=document.attributes,
        ),
        highlights=hit.highlights,
        legs=hit.legs,
        others=tuple(map(_passage, hit.others)),
    )
