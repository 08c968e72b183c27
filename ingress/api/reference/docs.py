"""/docs: the OpenAPI document, and a page that shows it with nothing from elsewhere."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

import msgspec

from ingress.api.http.errors import HttpRefusal
from ingress.api.http.exchange import Exchange, Header

_TYPES: Final = {
    "index.html": b"text/html; charset=utf-8",
    "docs.css": b"text/css; charset=utf-8",
    "docs.js": b"text/javascript; charset=utf-8",
}
_HEADERS: Final[tuple[Header, ...]] = (
    (b"content-security-policy", b"default-src 'self'; frame-ancestors 'none'; base-uri 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-cache"),
)


class Docs:
    """Files that ship with the package; the document is encoded once."""

    def __init__(self) -> None:
        self._document = b"{}"
        folder = files("ingress.api.reference.page")
        self._files = {name: folder.joinpath(name).read_bytes() for name in _TYPES}

    def describe(self, document: dict[str, object]) -> None:
        """The document to show; it describes this page too, so it comes after it."""
        self._document = msgspec.json.encode(document)

    async def openapi(self, exchange: Exchange) -> None:
        """The OpenAPI document."""
        await exchange.answer(200, self._document)

    async def page(self, exchange: Exchange) -> None:
        """The page itself."""
        await self._file(exchange, "index.html")

    async def asset(self, exchange: Exchange) -> None:
        """Its script and its style."""
        await self._file(exchange, exchange.parameters["name"])

    async def _file(self, exchange: Exchange, name: str) -> None:
        content = self._files.get(name)
        if content is None:
            raise HttpRefusal(404, f"There is no file '{name[:64]}' here.", code="not_found")
        await exchange.answer(200, content, _HEADERS, content_type=_TYPES[name])
