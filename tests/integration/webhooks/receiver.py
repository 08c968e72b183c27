"""A tenant's server: keeps what it is sent, and answers as it is told."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from aiohttp import web


class ReceivedWebhook(msgspec.Struct):
    """One POST."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def event(self) -> Any:
        return msgspec.json.decode(self.body)


class WebhookReceiver:
    """Answers with the next of `statuses`, and with 200 where none is left.

    While `is_open` is clear, nobody is answered; `headers` come with each answer.
    """

    def __init__(self) -> None:
        self.got: list[ReceivedWebhook] = []
        self.statuses: deque[int] = deque()
        self.headers: dict[str, str] = {}
        self.is_open = asyncio.Event()
        self.is_open.set()
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.got.append(ReceivedWebhook(request.path_qs, headers, await request.read()))
        await self.is_open.wait()
        status = self.statuses.popleft() if self.statuses else 200
        return web.Response(status=status, headers=self.headers, text="Thank you.")


@asynccontextmanager
async def received(tls: ssl.SSLContext | None = None) -> AsyncIterator[WebhookReceiver]:
    """A server on loopback for as long as the context is open."""
    receiver = WebhookReceiver()
    app = web.Application()
    app.router.add_post("/{path:.*}", receiver.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        host, port = runner.addresses[0][:2]
        receiver.url = f"{'https' if tls else 'http'}://{host}:{port}/hook"
        yield receiver
    finally:
        receiver.is_open.set()
        await runner.cleanup()
