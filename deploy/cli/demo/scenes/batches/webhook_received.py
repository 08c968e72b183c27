"""A server of the tenant's that is told when an answer is there, and checks who tells it."""

from __future__ import annotations

import asyncio
from base64 import b64encode

import msgspec

from deploy.cli.demo.receiver import receiving
from deploy.cli.demo.scene import SceneFailed, Told, expect
from deploy.cli.demo.stage import AMPLE, Stage
from shared.clock import SystemClock
from shared.persistence.tenants import TenantRepository
from shared.webhooks.endpoints import WebhookEndpoints

_PATIENCE_SECONDS = 60.0


async def webhook_received(stage: Stage) -> Told:
    visitor = await stage.visitor_with(AMPLE, tenant="listening")
    async with receiving() as server:
        endpoints = WebhookEndpoints(stage.database, SystemClock())
        owner = await TenantRepository(stage.database, SystemClock()).named("listening")
        if owner is None:
            raise SceneFailed("The tenant is not there.")
        endpoint = await endpoints.create(owner.id, server.url)
        # Workers look once in a moment who wants to be told.
        await asyncio.sleep(2 * stage.sweep_seconds)
        answered = await visitor.post("Tell me when you are done.", background=True)
        async with asyncio.timeout(_PATIENCE_SECONDS):
            delivery = await server.heard.get()
        await endpoints.remove(endpoint.id, tenant_id=endpoint.tenant_id)
    event = msgspec.json.decode(delivery.body)
    expect(delivery.is_signed(endpoint.secrets[0]), "The signature is another's.")
    expect(not delivery.is_signed("whsec_" + b64encode(b"x" * 32).decode()), "Any secret does.")
    expect(event["data"]["id"] == answered.body["id"], f"It tells of {event['data']}.")
    response = await visitor.get(event["data"]["id"])
    return Told(
        f"“{event['type']}” arrives at the tenant's own server, signed with the secret that only "
        f"it has; what it tells of is “{response.text}”",
        {"event": event["type"], "signature_verified": True},
    )
