"""The parameters of a query, of which none may be one that nobody knows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from ingress.api.http.exchange import Exchange
from shared.decoding import unknown_field
from shared.errors import InvalidRequest

_ORDERS: Final = {"asc": False, "desc": True}


def known_query(exchange: Exchange, names: Collection[str]) -> dict[str, str]:
    """The parameters; raises InvalidRequest for one that is not among `names`."""
    query = exchange.query()
    for name in query:
        if name not in names:
            raise unknown_field(name[:64])
    return query


def page_limit(query: Mapping[str, str], *, usual: int, largest: int) -> int:
    """How many are asked for in `limit`; raises InvalidRequest for more than the largest page."""
    text = query.get("limit", "")
    if not text:
        return usual
    is_number = text.isascii() and text.isdigit() and len(text) <= len(str(largest))
    if not is_number or not 1 <= int(text) <= largest:
        raise InvalidRequest(f"'limit' must be a whole number from 1 to {largest}.", param="limit")
    return int(text)


def is_newest_first(query: Mapping[str, str]) -> bool:
    """The order that is asked for, the newest first unless it is; raises InvalidRequest."""
    newest_first = _ORDERS.get(query.get("order", "desc"))
    if newest_first is None:
        raise InvalidRequest("'order' must be asc or desc.", param="order")
    return newest_first
