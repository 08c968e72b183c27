"""Tools as callers offer them on Responses and on the queue: both kinds' fields in one struct."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

import msgspec

from shared.decoding import missing_field
from shared.errors import InvalidRequest
from shared.messages.answer_format import refuse_deep
from shared.messages.file_search.search_tool import (
    MOST_RESULTS,
    MOST_STORES,
    FileSearchTool,
    RankingOptions,
)
from shared.messages.requests.tools import OfferedFunction, tool_of
from shared.messages.requests.written_item import WORDS
from shared.messages.requests.written_part import all_but, given, refuse_foreign
from shared.messages.tool import FunctionTool
from shared.storable_text import is_storable

RESULTS: Final = "file_search_call.results"
_LONGEST_ID: Final = 128
_UNRANKED: Final = RankingOptions()


class WrittenTool(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename=WORDS):
    """A function, or `file_search`."""

    type: Literal["function", "file_search"] = "function"
    name: str | None = None
    description: str | None = None
    parameters: dict[str, object] | None = None
    strict: bool | None = None
    vector_store_ids: list[str] | None = None
    filters: dict[str, Any] | None = None
    max_num_results: Annotated[int, msgspec.Meta(ge=1, le=MOST_RESULTS)] | None = None
    ranking_options: RankingOptions | None = None
    # Of hosted tools that call functions: clients with types send them all the same.
    allowed_callers: None = None
    defer_loading: None = None
    output_schema: None = None
    waits: None = None
    async_: None = None


def functions_of(written: Sequence[WrittenTool]) -> list[FunctionTool]:
    """The functions among them."""
    return [
        _function(tool, f"tools[{nth}]")
        for nth, tool in enumerate(written)
        if tool.type == "function"
    ]


def place_of_search(written: Sequence[WrittenTool]) -> int | None:
    """Where `file_search` stands among them; raises InvalidRequest for a second one."""
    places = [nth for nth, tool in enumerate(written) if tool.type == "file_search"]
    if len(places) > 1:
        place = f"tools[{places[1]}]"
        raise InvalidRequest(
            f"'{place}' is a second 'file_search'. Name all vector stores in the first, and "
            "remove it.",
            param=place,
        )
    return places[0] if places else None


def file_search_at(
    written: Sequence[WrittenTool], nth: int, *, tells_results: bool
) -> FileSearchTool:
    """The search that stands there; raises InvalidRequest naming what it lacks, or has too much."""
    tool, place = written[nth], f"tools[{nth}]"
    refuse_foreign(tool, _FOREIGN_TO_SEARCHES, place)
    _check_stores(tool.vector_store_ids, f"{place}.vector_store_ids")
    if (weights := (tool.ranking_options or _UNRANKED).hybrid_search) and not any(
        (weights.embedding_weight, weights.text_weight)
    ):
        where = f"{place}.ranking_options.hybrid_search"
        raise InvalidRequest(f"'{where}' gives both a weight of 0. Raise one.", param=where)
    if tool.filters is not None:
        refuse_deep(tool.filters, f"{place}.filters")
    return FileSearchTool(
        vector_store_ids=list(dict.fromkeys(tool.vector_store_ids or ())),
        filters=tool.filters or None,
        max_num_results=tool.max_num_results,
        ranking_options=tool.ranking_options,
        place=nth,
        tells_results=tells_results,
    )


def _function(tool: WrittenTool, place: str) -> FunctionTool:
    refuse_foreign(tool, _FOREIGN_TO_FUNCTIONS, place)
    name = given(tool.name, f"{place}.name")
    return tool_of(OfferedFunction(name, tool.description, tool.parameters, tool.strict))


def _check_stores(ids: list[str] | None, place: str) -> None:
    if ids is None:
        raise missing_field(place)
    if not 1 <= len(ids) <= MOST_STORES:
        raise InvalidRequest(
            f"'{place}' names {len(ids)} vector stores. Name 1 to {MOST_STORES}.", param=place
        )
    for nth, each in enumerate(ids):
        if not (1 <= len(each) <= _LONGEST_ID and is_storable(each)):
            raise InvalidRequest(
                f"'{place}[{nth}]' must be 1 to {_LONGEST_ID} characters without NUL. Send the id "
                "of a vector store.",
                param=f"{place}[{nth}]",
            )


_OWN: Final = ("name", "description", "parameters", "strict")
_OF_SEARCHES: Final = ("vector_store_ids", "filters", "max_num_results", "ranking_options")
_FOREIGN_TO_FUNCTIONS: Final = all_but(WrittenTool, *_OWN)
_FOREIGN_TO_SEARCHES: Final = all_but(WrittenTool, *_OF_SEARCHES)
