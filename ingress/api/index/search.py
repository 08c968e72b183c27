"""/v1/search: passages of several collections, with all that is known of how they were found."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec

from ingress.api.http.exchange import Exchange
from ingress.api.index.found_passages import SearchAnswerObject, search_answer
from ingress.api.index.index_door import IndexDoor
from ingress.api.index.searching import Searching
from ingress.authentication import Caller
from shared.accepting.reading_requests import read_request
from shared.index.collections.collection import Collection
from shared.messages.tenant import Principals
from shared.retrieval.legs import LegName
from shared.retrieval.routing import SearchMode
from shared.retrieval.search_request import MOST_COLLECTIONS, MOST_HITS, SearchRequest
from shared.search.attribute_filter import AttributeFilter
from shared.search.checking_labels import check_attribute_filter
from shared.search.query import Dbsf, Rrf, Where

_Names = Annotated[list[str], msgspec.Meta(min_length=1, max_length=100)]


class Narrowing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which passages; each that is given must be one of its values."""

    document: _Names | None = None
    source: _Names | None = None
    path: _Names | None = None
    language: _Names | None = None
    kind: _Names | None = None


class FusionChoice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the lists of the legs become one, in place of what is set."""

    method: Literal["rrf", "dbsf"]
    k: Annotated[int, msgspec.Meta(ge=1, le=1_000)] = 60
    """Of `rrf`."""


class SearchQuestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is looked for, where, and how it is told."""

    query: Annotated[str, msgspec.Meta(min_length=1)]
    collections: Annotated[
        list[Annotated[str, msgspec.Meta(min_length=1, max_length=256)]],
        msgspec.Meta(min_length=1, max_length=MOST_COLLECTIONS),
    ]
    """By their names or ids."""
    mode: SearchMode = SearchMode.AUTO
    filters: AttributeFilter | None = None
    where: Narrowing | None = None
    principals: Principals | None = None
    """As whom to look: of who may see all, these alone; of others, those among their own."""
    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST_HITS)] = 10
    cursor: Annotated[str, msgspec.Meta(max_length=16_384)] | None = None
    score_threshold: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.0
    fusion: FusionChoice | None = None
    weights: dict[LegName, Annotated[float, msgspec.Meta(ge=0)]] | None = None
    group_by_document: bool = False
    rerank: bool = True
    """Whether a reranker that is set orders what was found."""
    highlight: bool = True
    explain: bool = False


_asked: Final = msgspec.json.Decoder(SearchQuestion)


class SearchEndpoint:
    """Searches collections of the caller's tenant. What it may not see is not found."""

    def __init__(self, index: IndexDoor, searching: Searching) -> None:
        self._index = index
        self._searching = searching

    async def search(self, exchange: Exchange) -> None:
        """The best passages, what each leg did, and up to what all of it is indexed."""
        index = self._index
        caller = await index.door.caller(exchange)
        asked = read_request(_asked, await index.door.read_json(exchange))
        if asked.filters is not None:
            check_attribute_filter("filters", asked.filters)
        collections = {}
        for nth, named in enumerate(asked.collections):
            found = await index.named(caller, named, param=f"collections[{nth}]", is_used=True)
            collections[found.id] = found
        request = _request(asked, caller, tuple(collections.values()))
        result, headers = await self._searching.ask(caller, request)
        told: SearchAnswerObject = search_answer(asked.query, result)
        await exchange.answer(200, msgspec.json.encode(told), headers)


def _request(
    asked: SearchQuestion, caller: Caller, collections: tuple[Collection, ...]
) -> SearchRequest:
    return SearchRequest(
        tenant_id=caller.tenant.id,
        collections=collections,
        text=asked.query,
        mode=asked.mode,
        where=_where(asked),
        principals=_principals(asked.principals, caller.principals),
        limit=asked.limit,
        cursor=asked.cursor,
        fusion=_fusion(asked.fusion),
        weights=asked.weights,
        score_threshold=asked.score_threshold,
        group_by_document=asked.group_by_document,
        reranks=asked.rerank,
        highlight=asked.highlight,
        explain=asked.explain,
    )


def _where(asked: SearchQuestion) -> Where:
    narrowed = asked.where or Narrowing()
    return Where(
        document=_values(narrowed.document),
        source=_values(narrowed.source),
        path=_values(narrowed.path),
        language=_values(narrowed.language),
        kind=_values(narrowed.kind),
        attributes=asked.filters,
    )


def _values(names: list[str] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(names)


def _principals(
    asked: tuple[str, ...] | None, own: tuple[str, ...] | None
) -> tuple[str, ...] | None:
    if asked is None or own is None:
        return own if asked is None else asked
    return tuple(each for each in asked if each in own)


def _fusion(asked: FusionChoice | None) -> Rrf | Dbsf | None:
    if asked is None:
        return None
    return Dbsf() if asked.method == "dbsf" else Rrf(asked.k)
