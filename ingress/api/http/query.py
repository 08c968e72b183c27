"""The parameters of a query, of which none may be one that nobody knows."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Final

from ingress.api.http.exchange import Exchange
from shared.decoding import unknown_field
from shared.errors import InvalidRequest, use_one_of

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
    text = query.get("limit")
    return whole_number(text, "limit", least=1, most=largest) if text else usual


def whole_number(text: str, param: str, *, least: int, most: int) -> int:
    """The number; raises InvalidRequest for what is none, or not between these two."""
    is_number = text.isascii() and text.isdigit() and len(text) <= len(str(most))
    if not is_number or not least <= int(text) <= most:
        raise InvalidRequest(
            f"'{param}' must be a whole number from {least} to {most}.", param=param
        )
    return int(text)


def place_in_list(
    query: Mapping[str, str], param: str, ids: re.Pattern[str], *, of: str
) -> str | None:
    """The id that a page begins behind or ends before; raises InvalidRequest for what is no id of
    anything in this list.

    One that is gone by now has its place still: whoever deletes what it lists goes on.
    """
    value = query.get(param)
    if value is not None and not ids.fullmatch(value):
        raise InvalidRequest(f"'{param}' must be the id of {of} of this list.", param=param)
    return value


def is_newest_first(query: Mapping[str, str]) -> bool:
    """The order that is asked for, the newest first unless it is; raises InvalidRequest."""
    asked = query.get("order", "desc")
    newest_first = _ORDERS.get(asked)
    if newest_first is None:
        raise InvalidRequest(
            f"Invalid value for 'order': '{asked[:64]}'. {use_one_of(_ORDERS)}.", param="order"
        )
    return newest_first
