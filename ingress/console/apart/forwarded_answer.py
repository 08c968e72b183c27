"""An answer of the console's process as it comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

import httptools

from ingress.api.http.error_answer import Header
from shared.errors import Unavailable

_READ_BYTES: Final = 65_536


class ForwardedAnswer:
    """No more of it is read than somebody asks for. Raises Unavailable where it ends too early."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self._parser: Any = httptools.HttpResponseParser(self)
        self._headers: dict[bytes, bytes] = {}
        self._pieces: list[bytes] = []
        self._is_begun = self._is_whole = False

    @property
    def status(self) -> int:
        """Once its head is there."""
        return int(self._parser.get_status_code())

    def header(self, name: bytes) -> bytes:
        """Empty where there is none."""
        return self._headers.get(name, b"")

    def headers_but(self, names: frozenset[bytes]) -> list[Header]:
        """All others."""
        return [(name, value) for name, value in self._headers.items() if name not in names]

    async def head(self) -> None:
        """Return when status and headers are there."""
        while not self._is_begun:
            await self._read_on()

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body as it comes."""
        while True:
            pieces, self._pieces = self._pieces, []
            if pieces:
                yield b"".join(pieces)
            elif self._is_whole:
                return
            else:
                await self._read_on()

    async def whole(self) -> bytes:
        """The body when all of it is there."""
        return b"".join([piece async for piece in self.pieces()])

    def on_header(self, name: bytes, value: bytes) -> None:
        """The parser has read one."""
        self._headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        """The parser has read all of them."""
        self._is_begun = True

    def on_body(self, piece: bytes) -> None:
        """The parser has read so much of the body."""
        self._pieces.append(piece)

    def on_message_complete(self) -> None:
        """The parser has read all of it."""
        self._is_whole = True

    async def _read_on(self) -> None:
        try:
            piece = await self._reader.read(_READ_BYTES)
        except ConnectionError:
            piece = b""
        if not piece:
            raise Unavailable("The console's own process has ended. Ask again.")
        self._parser.feed_data(piece)
