"""What `forebay webhooks` asks the ledger for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from deploy.cli.connection import command_settings, open_ledger
from deploy.cli.tenants import tenant_named
from shared.clock import SystemClock
from shared.persistence.ledger.settlement.event_tables import EventType
from shared.webhooks.tables import DeliveryState

if TYPE_CHECKING:
    from shared.settings import Settings
    from shared.webhooks.delivery_log import DeliveryLog, LoggedDelivery
    from shared.webhooks.endpoints import WebhookEndpoint, WebhookEndpoints

_LOOK_SECONDS: Final = 0.25


async def add_endpoint(tenant: str, url: str, events: tuple[EventType, ...]) -> WebhookEndpoint:
    from shared.webhooks.address_guard import AddressGuard

    async with _office(tenant) as office:
        AddressGuard(office.settings.webhooks).check_url(url)
        return await office.endpoints.create(office.tenant_id, url, events=events)


async def list_endpoints(tenant: str) -> list[WebhookEndpoint]:
    async with _office(tenant) as office:
        return await office.endpoints.list(office.tenant_id)


async def remove_endpoint(endpoint_id: str, tenant: str) -> None:
    async with _office(tenant) as office:
        await office.endpoints.remove(endpoint_id, tenant_id=office.tenant_id)


async def rotate(endpoint_id: str, tenant: str, overlap: timedelta) -> WebhookEndpoint:
    async with _office(tenant) as office:
        return await office.endpoints.rotate(
            endpoint_id, tenant_id=office.tenant_id, overlap=overlap
        )


async def deliveries(tenant: str, state: DeliveryState | None, limit: int) -> list[LoggedDelivery]:
    async with _office(tenant) as office:
        return await office.log.list(office.tenant_id, state=state, limit=limit)


async def redeliver(delivery_id: str, tenant: str) -> LoggedDelivery:
    async with _office(tenant) as office:
        return await office.log.redeliver(delivery_id, tenant_id=office.tenant_id)


async def send_test(endpoint_id: str, tenant: str, wait: float) -> LoggedDelivery:
    async with _office(tenant) as office:
        endpoint = await office.endpoints.find(endpoint_id, tenant_id=office.tenant_id)
        delivery_id, until = await office.log.test(endpoint), time.monotonic() + wait
        while True:
            found = await office.log.find(delivery_id, tenant_id=office.tenant_id)
            is_tried = found.state is not DeliveryState.PENDING or found.reason is not None
            if is_tried or time.monotonic() >= until:
                return found
            await asyncio.sleep(_LOOK_SECONDS)


class _Office(NamedTuple):
    settings: Settings
    tenant_id: str
    endpoints: WebhookEndpoints
    log: DeliveryLog


@asynccontextmanager
async def _office(tenant: str) -> AsyncIterator[_Office]:
    from shared.persistence.tenants import TenantRepository
    from shared.webhooks.delivery_log import DeliveryLog
    from shared.webhooks.endpoints import WebhookEndpoints

    settings, clock = command_settings(), SystemClock()
    async with open_ledger(settings) as database:
        owner = await tenant_named(tenant, TenantRepository(database, clock))
        endpoints, log = WebhookEndpoints(database, clock), DeliveryLog(database, clock)
        yield _Office(settings, owner.id, endpoints, log)
