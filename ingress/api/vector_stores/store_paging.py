"""Pages of vector stores and of their files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple, Self, TypeVar

from ingress.api.http.exchange import Exchange
from ingress.api.http.query import is_newest_first, known_query, page_limit, place_in_list
from ingress.api.reference.operation import Parameter
from shared.errors import InvalidRequest, use_one_of
from shared.identifiers import COLLECTION
from shared.index.document import DOCUMENT_IDS
from shared.index.states import DocumentState

T = TypeVar("T")

_QUERY: Final = frozenset({"limit", "order", "after", "before"})
_USUAL_PAGE: Final = 20
_LARGEST_PAGE: Final = 100
_STORES: Final = re.compile(f"{COLLECTION}_[0-9a-f]{{32}}")
_STATES: Final = {
    "in_progress": (DocumentState.PENDING, DocumentState.IN_PROGRESS),
    "completed": (DocumentState.COMPLETED,),
    "failed": (DocumentState.FAILED, DocumentState.SKIPPED),
    "cancelled": (DocumentState.CANCELLED,),
}

PAGE: Final = (
    Parameter(
        "limit", "query", "integer", f"1 to {_LARGEST_PAGE}, {_USUAL_PAGE} unless it is given."
    ),
    Parameter("order", "query", "string", "The newest first unless given.", pattern="^(asc|desc)$"),
    Parameter("after", "query", "string", "The id of the last one that you have."),
    Parameter("before", "query", "string", "The id of the first one that you have."),
)
FILTER: Final = Parameter(
    "filter", "query", "string", "Only files with this status.", pattern=f"^({'|'.join(_STATES)})$"
)


class StorePage(NamedTuple):
    """A page: so many behind that one, or before this one, from the one end or the other."""

    limit: int
    newest_first: bool
    after: str | None
    before: str | None
    states: tuple[DocumentState, ...] = ()

    @classmethod
    def of_stores(cls, exchange: Exchange) -> Self:
        """What the query asks for; raises InvalidRequest."""
        return cls._of(known_query(exchange, _QUERY), _STORES, of="a vector store")

    @classmethod
    def of_files(cls, exchange: Exchange) -> Self:
        """The same, with `filter`."""
        query = known_query(exchange, _QUERY | {"filter"})
        asked = query.get("filter")
        if asked is not None and asked not in _STATES:
            raise InvalidRequest(
                f"Invalid value for 'filter': '{asked[:64]}'. {use_one_of(_STATES)}.",
                param="filter",
            )
        page = cls._of(query, DOCUMENT_IDS, of="a file")
        return page._replace(states=() if asked is None else _STATES[asked])

    def cut(self, found: Sequence[T]) -> tuple[list[T], bool]:
        """The page out of what was found, one more of them asked for; and whether there are more
        on its far side."""
        kept = found[-self.limit :] if self.before is not None else found[: self.limit]
        return [*kept], len(found) > self.limit

    @classmethod
    def _of(cls, query: dict[str, str], ids: re.Pattern[str], *, of: str) -> Self:
        limit = page_limit(query, usual=_USUAL_PAGE, largest=_LARGEST_PAGE)
        after, before = (place_in_list(query, each, ids, of=of) for each in ("after", "before"))
        if after is not None and before is not None:
            raise InvalidRequest("Give either 'after' or 'before'.", param="before")
        return cls(limit, is_newest_first(query), after, before)
