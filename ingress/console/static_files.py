"""The page of the console, its modules and styles: files that ship with the package."""

from __future__ import annotations

from hashlib import blake2b
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final, NamedTuple

from ingress.api.http.border import Route
from ingress.api.http.error_answer import Header
from ingress.api.http.errors import HttpRefusal
from ingress.api.http.exchange import Exchange

_TYPES: Final = {
    "html": b"text/html; charset=utf-8",
    "css": b"text/css; charset=utf-8",
    "js": b"text/javascript; charset=utf-8",
    "svg": b"image/svg+xml",
}
_HEADERS: Final[tuple[Header, ...]] = (
    # With trusted types no text can become markup, whatever a script does with it.
    (
        b"content-security-policy",
        b"default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; "
        b"frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cache-control", b"no-cache"),
)
_EMPTY: Final[Header] = (b"content-length", b"0")


class StaticFile(NamedTuple):
    """A file as it is sent; `tag` changes with its content."""

    content: bytes
    content_type: bytes
    tag: bytes


class StaticFiles:
    """Read once; nothing is served that is not among them."""

    def __init__(self) -> None:
        self._files = dict(_walk(files("ingress.console.page"), ""))

    def routes(self) -> list[Route]:
        """For everybody: they hold nothing that is anybody's."""
        return [
            Route("GET", "/console", self._page),
            Route("GET", "/console/", self._to_page),
            Route("GET", "/console/page/{asset}", self._asset),
        ]

    async def _page(self, exchange: Exchange) -> None:
        await self._send(exchange, "index.html")

    async def _to_page(self, exchange: Exchange) -> None:
        # Addresses in the page are relative, so that a proxy may put a path before them.
        await exchange.answer_nothing(
            308, [(b"location", b"../console"), (b"content-length", b"0")]
        )

    async def _asset(self, exchange: Exchange) -> None:
        await self._send(exchange, exchange.parameters["asset"])

    async def _send(self, exchange: Exchange, name: str) -> None:
        file = self._files.get(name)
        if file is None:
            raise HttpRefusal(404, f"There is no file '{name[:64]}' here.", code="not_found")
        headers = (*_HEADERS, (b"etag", file.tag))
        if exchange.headers.get(b"if-none-match") == file.tag:
            await exchange.answer_nothing(304, headers)
        else:
            await exchange.answer(200, file.content, headers, content_type=file.content_type)


def _walk(folder: Traversable, place: str) -> list[tuple[str, StaticFile]]:
    found: list[tuple[str, StaticFile]] = []
    for each in folder.iterdir():
        if each.is_dir():
            found += _walk(each, f"{place}{each.name}/")
        elif (kind := _TYPES.get(each.name.rpartition(".")[2])) is not None:
            content = each.read_bytes()
            tag = f'"{blake2b(content, digest_size=12).hexdigest()}"'.encode()
            found.append((f"{place}{each.name}", StaticFile(content, kind, tag)))
    return found
