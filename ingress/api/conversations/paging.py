"""Pages of items: what a caller asks for, and what is left after them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final, NamedTuple, Self, get_args

from ingress.api.conversations.told_item import ItemList, item_list, told_item
from ingress.api.http.exchange import Exchange
from ingress.api.http.query import is_newest_first, known_query, page_limit
from ingress.api.reference.operation import Parameter
from shared.errors import InvalidRequest, use_one_of
from shared.messages.item import Item
from shared.messages.requests.create_response import Included

_INCLUDE: Final = frozenset({"include", "include[]"})
_QUERY: Final = _INCLUDE | {"limit", "order", "after"}
_USUAL_PAGE: Final = 20
_LARGEST_PAGE: Final = 100
_INCLUDED: Final = frozenset({*get_args(Included), "message.output_text.logprobs"})

PAGE: Final = (
    Parameter(
        "limit", "query", "integer", f"1 to {_LARGEST_PAGE}, {_USUAL_PAGE} unless it is given."
    ),
    Parameter("order", "query", "string", "The newest first unless given.", pattern="^(asc|desc)$"),
    Parameter("after", "query", "string", "The id of the last item that you have."),
)
INCLUDE: Final = Parameter(
    "include",
    "query",
    "string",
    "Taken as OpenAI does; all of an item is told without it.",
    pattern=f"^({'|'.join(sorted(map(str, _INCLUDED)))})$".replace(".", r"\."),
)


class PageRequest(NamedTuple):
    """A page: so many items behind that one, from the one end or the other."""

    limit: int
    newest_first: bool
    after: str | None

    @classmethod
    def of(cls, exchange: Exchange) -> Self:
        """What the query asks for; raises InvalidRequest."""
        query = _checked(exchange, _QUERY)
        limit = page_limit(query, usual=_USUAL_PAGE, largest=_LARGEST_PAGE)
        return cls(limit, is_newest_first(query), query.get("after"))

    def of_items(self, items: Sequence[tuple[str, Item]]) -> ItemList:
        """The page of these, which come oldest first; raises InvalidRequest for its `after`."""
        ordered = [*reversed(items)] if self.newest_first else [*items]
        if self.after is not None:
            ordered = ordered[self._place(ordered) + 1 :]
        told = [told_item(*each) for each in ordered[: self.limit]]
        return item_list(told, has_more=len(ordered) > self.limit)

    def _place(self, items: Sequence[tuple[str, Item]]) -> int:
        for place, (item_id, _) in enumerate(items):
            if item_id == self.after:
                return place
        raise InvalidRequest("'after' must be the id of an item of this list.", param="after")


def checked_query(exchange: Exchange) -> None:
    """Raises InvalidRequest for a query that has more than additions that are known."""
    _checked(exchange, _INCLUDE)


def _checked(exchange: Exchange, names: Collection[str]) -> dict[str, str]:
    query = known_query(exchange, names)
    for name in _INCLUDE & query.keys():
        value, known = query[name], use_one_of(sorted(map(str, _INCLUDED)))
        if value and value not in _INCLUDED:
            raise InvalidRequest(
                f"Invalid value for 'include': '{value[:64]}'. {known}.", param="include"
            )
    return query
