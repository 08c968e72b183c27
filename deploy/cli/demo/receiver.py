"""A server that is told of things by webhook, and checks who tells it."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import NamedTuple

from aiohttp import web


class Received(NamedTuple):
    """One POST."""

    headers: Mapping[str, str]
    body: bytes

    def is_signed(self, secret: str) -> bool:
        """As Standard Webhooks has it: over the id, the time and the body."""
        headers = {name.lower(): value for name, value in self.headers.items()}
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + self.body
        key = b64decode(secret.removeprefix("whsec_"))
        expected = f"v1,{b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()}"
        signatures = headers["webhook-signature"].split()
        return any(hmac.compare_digest(expected, each) for each in signatures)


class Receiver(NamedTuple):
    """Where it is, and what it was sent."""

    url: str
    heard: asyncio.Queue[Received]


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """A server on loopback for as long as the context is open."""
    heard: asyncio.Queue[Received] = asyncio.Queue()

    async def take(request: web.Request) -> web.Response:
        heard.put_nowait(Received(dict(request.headers), await request.read()))
        return web.Response(status=204)

    app = web.Application()
    app.router.add_post("/told", take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield Receiver(f"http://127.0.0.1:{runner.addresses[0][1]}/told", heard)
    finally:
        await runner.cleanup()
