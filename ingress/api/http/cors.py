"""Cross-origin requests: which pages in a browser may ask this door, off unless origins are set."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from ingress.api.http.error_answer import Header
from ingress.api.http.exchange import Exchange

_ANY: Final = "*"
_VARY: Final[Header] = (b"vary", b"Origin")
_NAMES: Final = re.compile(rb"[A-Za-z0-9!#$%&'*+.^_`|~, -]{1,2048}")
_MAX_AGE_SECONDS: Final = b"600"


class Cors:
    """Adds what a browser wants to see before a page may read an answer.

    Keys travel in a header that the page sends by itself, so no cookies are ever allowed.
    """

    def __init__(self, origins: Iterable[str]) -> None:
        self._origins = frozenset(origin.encode() for origin in origins)
        self._is_open = _ANY.encode() in self._origins

    def headers(self, exchange: Exchange) -> tuple[Header, ...]:
        """For every answer to this request."""
        origin = exchange.headers.get(b"origin")
        if origin is None or not self._allows(origin):
            return (_VARY,)
        return (
            (b"access-control-allow-origin", b"*" if self._is_open else origin),
            (b"access-control-expose-headers", b"*"),
            _VARY,
        )

    def is_preflight(self, exchange: Exchange) -> bool:
        """Whether a browser asks in advance, for a page that may go on."""
        headers = exchange.headers
        return (
            exchange.method == "OPTIONS"
            and b"access-control-request-method" in headers
            and self._allows(headers.get(b"origin", b""))
        )

    async def answer_preflight(self, exchange: Exchange) -> None:
        """Yes, with the headers that were asked about."""
        exchange.route = "preflight"
        headers = [
            (b"access-control-allow-methods", b"GET, POST, PATCH, DELETE"),
            (b"access-control-max-age", _MAX_AGE_SECONDS),
        ]
        names = exchange.headers.get(b"access-control-request-headers", b"")
        if _NAMES.fullmatch(names):
            headers.append((b"access-control-allow-headers", names))
        await exchange.answer_nothing(204, headers)

    def _allows(self, origin: bytes) -> bool:
        return self._is_open or origin in self._origins
