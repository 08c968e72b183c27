"""An HTTP server with facts, on loopback, that can be told to misbehave."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from typing import Any, Self

from aiohttp import web

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def replies(document: Any, status: int = 200) -> Answer:
    """Answers with this JSON."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response(document, status=status)

    return answer


def says(text: str, **headers: str) -> Answer:
    """Answers with this text, whatever it is."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(text=text, headers=headers)

    return answer


def redirects(to: str) -> Answer:
    """Sends the caller elsewhere."""

    async def answer(_: web.Request) -> web.StreamResponse:
        raise web.HTTPFound(to)

    return answer


async def never(_: web.Request) -> web.StreamResponse:
    """Takes the request and says nothing."""
    await asyncio.sleep(60)
    return web.Response()


class Shop:
    """Serves from a thread of its own and notes what it was asked."""

    def __init__(self) -> None:
        self.answer: Answer = replies({})
        self.paths: list[str] = []
        self.bodies: list[str] = []
        self.keys: list[str | None] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._runner: web.AppRunner | None = None
        self.url = ""

    def knows(self, **members: Any) -> None:
        """From now on it answers with a JSON object of these."""
        self.answer = replies(json.loads(json.dumps(members)))

    def __enter__(self) -> Self:
        self._thread.start()
        self._run(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        if self._runner is not None:
            self._run(self._runner.cleanup())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(60)

    async def _start(self) -> None:
        application = web.Application()
        application.router.add_route("*", "/{rest:.*}", self._note)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{port}"

    async def _note(self, request: web.Request) -> web.StreamResponse:
        self.paths.append(request.raw_path)
        self.bodies.append(await request.text())
        self.keys.append(request.headers.get("Authorization"))
        return await self.answer(request)

    def _run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)
