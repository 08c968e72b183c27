"""A server of the tenant's that is told when an answer is there, and checks who tells it."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import NamedTuple

import msgspec
from aiohttp import web

from deploy.cli.demo.scene import SceneFailed, Told, expect
from deploy.cli.demo.stage import AMPLE, Stage
from shared.clock import SystemClock
from shared.persistence.tenants import TenantRepository
from shared.webhooks.endpoints import WebhookEndpoints

_PATIENCE_SECONDS = 60.0


class _Delivery(NamedTuple):
    headers: Mapping[str, str]
    body: bytes


async def webhook_received(stage: Stage) -> Told:
    visitor = await stage.visitor_with(AMPLE, tenant="listening")
    heard: asyncio.Queue[_Delivery] = asyncio.Queue()
    async with _server(heard) as url:
        endpoints = WebhookEndpoints(stage.database, SystemClock())
        owner = await TenantRepository(stage.database, SystemClock()).named("listening")
        if owner is None:
            raise SceneFailed("The tenant is not there.")
        endpoint = await endpoints.create(owner.id, url)
        # Workers look once in a moment who wants to be told.
        await asyncio.sleep(2 * stage.sweep_seconds)
        answered = await visitor.post("Tell me when you are done.", background=True)
        async with asyncio.timeout(_PATIENCE_SECONDS):
            delivery = await heard.get()
        await endpoints.remove(endpoint.id, tenant_id=endpoint.tenant_id)
    event = msgspec.json.decode(delivery.body)
    expect(_is_signed(delivery, endpoint.secrets[0]), "The signature is another's.")
    expect(not _is_signed(delivery, "whsec_" + b64encode(b"x" * 32).decode()), "Any secret does.")
    expect(event["data"]["id"] == answered.body["id"], f"It tells of {event['data']}.")
    response = await visitor.get(event["data"]["id"])
    return Told(
        f"“{event['type']}” arrives at the tenant's own server, signed with the secret that only "
        f"it has; what it tells of is “{response.text}”",
        {"event": event["type"], "signature_verified": True},
    )


@asynccontextmanager
async def _server(heard: asyncio.Queue[_Delivery]) -> AsyncIterator[str]:
    async def take(request: web.Request) -> web.Response:
        heard.put_nowait(_Delivery(dict(request.headers), await request.read()))
        return web.Response(status=204)

    app = web.Application()
    app.router.add_post("/ended", take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/ended"
    finally:
        await runner.cleanup()


def _is_signed(delivery: _Delivery, secret: str) -> bool:
    """As Standard Webhooks has it: over the id, the time and the body."""
    headers = {name.lower(): value for name, value in delivery.headers.items()}
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + delivery.body
    key = b64decode(secret.removeprefix("whsec_"))
    expected = f"v1,{b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()}"
    return any(hmac.compare_digest(expected, each) for each in headers["webhook-signature"].split())
