"""/v1/vector_stores/{id}/search: passages of a vector store, in OpenAI's shape."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Final, Literal

import msgspec

from ingress.api.http.exchange import Exchange
from ingress.api.index.index_door import IndexDoor
from ingress.api.index.reading import in_words_of
from ingress.api.index.searching import Searching
from ingress.api.vector_stores.stores import store_id
from shared.accepting.reading_requests import read_request
from shared.errors import InvalidRequest
from shared.messages.file_search.search_tool import MOST_RESULTS, USUAL_RESULTS, HybridWeights
from shared.retrieval.legs import LegName
from shared.retrieval.search_request import SearchRequest
from shared.retrieval.search_result import FoundPassage
from shared.search.attribute_filter import AttributeFilter
from shared.search.checking_labels import check_attribute_filter
from shared.search.query import Where

MOST_QUERIES: Final = 8
_BY_MEANING: Final = (LegName.TEXT, LegName.CODE)
_BY_WORDS: Final = (LegName.WORDS, LegName.KEYWORD)

_Query = Annotated[str, msgspec.Meta(min_length=1)]


class StoreRanking(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How passages are ordered; those below the threshold are left out. `none` reranks nothing."""

    ranker: Literal["none", "auto", "default-2024-11-15"] | None = None
    score_threshold: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    hybrid_search: HybridWeights | None = None


class StoreSearch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is looked for, in one or several questions."""

    query: _Query | Annotated[list[_Query], msgspec.Meta(min_length=1, max_length=MOST_QUERIES)]
    rewrite_query: bool | None = None
    max_num_results: Annotated[int, msgspec.Meta(ge=1, le=MOST_RESULTS)] | None = None
    filters: AttributeFilter | None = None
    ranking_options: StoreRanking | None = None


class PassageText(msgspec.Struct, frozen=True):
    """What a passage says."""

    text: str
    type: Literal["text"] = "text"


class FoundInFile(msgspec.Struct, frozen=True):
    """A passage of a file."""

    file_id: str
    filename: str
    score: float
    attributes: dict[str, str | float | bool]
    content: list[PassageText]


class StoreSearchPage(msgspec.Struct, frozen=True):
    """The best passages; there is one page of them."""

    search_query: list[str]
    data: list[FoundInFile]
    object: Literal["vector_store.search_results.page"] = "vector_store.search_results.page"
    has_more: bool = False
    next_page: str | None = None


_WORDS_OF_CALLERS: Final = {"weights": "ranking_options.hybrid_search"}
_asked: Final = msgspec.json.Decoder(StoreSearch)


class StoreSearches:
    """Searches one collection. A file that the caller may not see is not found."""

    def __init__(self, index: IndexDoor, searching: Searching) -> None:
        self._index = index
        self._searching = searching

    async def search(self, exchange: Exchange) -> None:
        """The best passages for one question, or for several the best of each."""
        index = self._index
        caller = await index.door.caller(exchange)
        asked = read_request(_asked, await index.door.read_json(exchange))
        if asked.filters is not None:
            check_attribute_filter("filters", asked.filters)
        if asked.rewrite_query:
            raise InvalidRequest(
                "'rewrite_query' is not supported: questions are searched as they are. Remove it.",
                param="rewrite_query",
                kind="unsupported_parameter",
            )
        collection = await index.collection(caller, store_id(exchange), is_used=True)
        queries = [asked.query] if isinstance(asked.query, str) else asked.query
        limit = asked.max_num_results or USUAL_RESULTS
        ranking = asked.ranking_options or StoreRanking()
        request = SearchRequest(
            tenant_id=caller.tenant.id,
            collections=(collection,),
            text=queries[0],
            where=Where(attributes=asked.filters),
            principals=caller.principals,
            limit=limit,
            weights=_weights(ranking.hybrid_search),
            score_threshold=ranking.score_threshold or 0.0,
            reranks=ranking.ranker != "none",
            highlight=False,
        )
        with in_words_of(_WORDS_OF_CALLERS):
            answers = await asyncio.gather(
                *(
                    self._searching.ask(caller, msgspec.structs.replace(request, text=query))
                    for query in queries
                )
            )
        found = _best([result.hits for result, _ in answers])[:limit]
        page = StoreSearchPage(queries, [_told(each) for each in found])
        await exchange.answer(200, msgspec.json.encode(page), answers[-1][1])


def _weights(asked: HybridWeights | None) -> Mapping[LegName, float] | None:
    if asked is None:
        return None
    if not asked.embedding_weight and not asked.text_weight:
        param = "ranking_options.hybrid_search"
        raise InvalidRequest(f"Both weights of '{param}' are 0. Raise one of them.", param=param)
    return dict.fromkeys(_BY_MEANING, asked.embedding_weight) | dict.fromkeys(
        _BY_WORDS, asked.text_weight
    )


def _best(answers: Sequence[Sequence[FoundPassage]]) -> list[FoundPassage]:
    """Each passage once, with the best that any question gave it."""
    best: dict[str, FoundPassage] = {}
    for hit in (hit for hits in answers for hit in hits):
        known = best.get(hit.id)
        if known is None or known.score < hit.score:
            best[hit.id] = hit
    return sorted(best.values(), key=lambda hit: (-hit.score, hit.id))


def _told(hit: FoundPassage) -> FoundInFile:
    return FoundInFile(
        file_id=hit.document.id,
        filename=hit.document.path,
        score=hit.score,
        attributes=hit.attributes,
        content=[PassageText(hit.passage.body)],
    )
