"""/docs: the OpenAPI document, and a page that shows it with nothing from elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from importlib.resources import files
from typing import Final

import msgspec

from ingress.api.http.error_answer import Header
from ingress.api.http.errors import HttpRefusal
from ingress.api.http.exchange import Exchange
from ingress.api.reference.openapi import openapi_document
from ingress.api.reference.operation import Operation
from shared.telemetry.metrics import installed_version

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
    """Files that ship with the package; the document is made when somebody first asks for it."""

    def __init__(self) -> None:
        self._operations: Sequence[Operation] = ()
        self._document: bytes | None = None
        folder = files("ingress.api.reference.page")
        self._files = {name: folder.joinpath(name).read_bytes() for name in _TYPES}

    def describe(self, operations: Sequence[Operation]) -> None:
        """What the document tells of; this page is among them, so they come after it."""
        self._operations = operations

    async def openapi(self, exchange: Exchange) -> None:
        """The OpenAPI document."""
        if self._document is None:
            # Beside the loop, for it takes tens of milliseconds.
            self._document = await asyncio.to_thread(self._encode)
        await exchange.answer(200, self._document)

    def _encode(self) -> bytes:
        return msgspec.json.encode(openapi_document(self._operations, version=installed_version()))

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
