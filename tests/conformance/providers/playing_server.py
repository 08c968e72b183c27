"""A server that plays the bytes that a test gives it, piece by piece, and watches who leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from aiohttp import web

STREAM: Final = "text/event-stream"
JSON: Final = "application/json"


class PlayingServer:
    """Plays the same to every caller. Use as a context; the root is `url`."""

    def __init__(self) -> None:
        self.asked: list[dict[str, object]] = []
        """The bodies of the requests."""
        self.paths: list[str] = []
        self.headers: list[Mapping[str, str]] = []
        self.has_left = asyncio.Event()
        """Set when a caller closed its connection before the end."""
        self.is_asked = asyncio.Event()
        self.url = ""
        self._runner = web.AppRunner(
            self._app(), access_log=None, handler_cancellation=True, shutdown_timeout=0.1
        )
        self.sends(JSON, b"{}")

    def sends(
        self,
        content_type: str,
        *pieces: bytes,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        ends: str = "well",
    ) -> None:
        """What is played next: each piece by itself, then an end: `well`, `cut` or `never`."""
        self._pieces: Sequence[bytes] = pieces
        self._status, self._ends = status, ends
        self._headers = {"Content-Type": content_type, **(headers or {})}

    def streams(self, *events: str, ends: str = "well") -> None:
        """An event each."""
        self.sends(STREAM, *(f"data: {event}\n\n".encode() for event in events), ends=ends)

    async def __aenter__(self) -> PlayingServer:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    def _app(self) -> web.Application:
        app = web.Application()
        app.router.add_route("*", "/{anything:.*}", self._play)
        return app

    async def _play(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(msgspec.json.decode(await request.read()))
        self.paths.append(request.raw_path)
        self.headers.append(request.headers)
        self.is_asked.set()
        response = web.StreamResponse(status=self._status, headers=self._headers)
        try:
            await response.prepare(request)
            for piece in self._pieces:
                await response.write(piece)
                await asyncio.sleep(0)
            if self._ends == "never":
                await asyncio.Event().wait()
        except (asyncio.CancelledError, ConnectionError):
            self.has_left.set()
            raise
        if self._ends == "cut" and request.transport is not None:
            request.transport.close()
        return response
