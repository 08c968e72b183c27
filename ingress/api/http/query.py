"""The parameters of a query, of which none may be one that nobody knows."""

from __future__ import annotations

from collections.abc import Collection

from ingress.api.http.exchange import Exchange
from shared.decoding import unknown_field


def known_query(exchange: Exchange, names: Collection[str]) -> dict[str, str]:
    """The parameters; raises InvalidRequest for one that is not among `names`."""
    query = exchange.query()
    for name in query:
        if name not in names:
            raise unknown_field(name[:64])
    return query
