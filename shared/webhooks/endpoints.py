"""Endpoints: where a tenant wants to be told, of what, and by which secrets it knows us."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import Row, delete, select, update

from shared.clock import Clock
from shared.errors import Conflict, InvalidRequest, NotFound
from shared.identifiers import WEBHOOK_ENDPOINT, new_id
from shared.persistence.engine import Database
from shared.persistence.ledger.settlement.event_tables import EventType
from shared.persistence.statements import reading, transaction
from shared.webhooks.signing import new_secret
from shared.webhooks.tables import DeliveryState, webhook_delivery, webhook_endpoint

MOST_ENDPOINTS: Final = 16
"""Of one tenant: each event is delivered to every one."""
_REMOVED: Final = "The endpoint was removed."


class WebhookEndpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One of a tenant's. `events` is None for all; `secrets` are those in force, the newest
    first."""

    id: str
    tenant_id: str
    url: str
    events: tuple[EventType, ...] | None
    created_at: datetime
    secrets: tuple[str, ...]

    def wants(self, kind: EventType) -> bool:
        """Whether such an event is delivered to it."""
        return self.events is None or kind in self.events


class WebhookEndpoints:
    """What a person does with them; all raise LedgerUnavailable."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def create(
        self, tenant_id: str, url: str, *, events: Sequence[EventType] = ()
    ) -> WebhookEndpoint:
        """A new one, with its secret; raises InvalidRequest where the tenant has too many."""
        endpoint_id = new_id(WEBHOOK_ENDPOINT)
        row = {
            "id": endpoint_id,
            "tenant_id": tenant_id,
            "url": url,
            "events": " ".join(dict.fromkeys(events)) or None,
            "secret": new_secret(),
            "created_at": self._clock.now(),
        }
        if len(await self.list(tenant_id)) >= MOST_ENDPOINTS:
            raise InvalidRequest(
                f"The tenant has {MOST_ENDPOINTS} webhook endpoints: remove one first."
            )
        async with transaction(self._database.durable) as connection:
            await connection.execute(webhook_endpoint.insert(), row)
        return await self.find(endpoint_id, tenant_id=tenant_id)

    async def list(self, tenant_id: str) -> list[WebhookEndpoint]:
        """The tenant's, the oldest first."""
        query = (
            select(webhook_endpoint)
            .where(webhook_endpoint.c.tenant_id == tenant_id)
            .order_by(webhook_endpoint.c.id)
        )
        now = self._clock.now()
        async with reading(self._database.relaxed) as connection:
            return [endpoint_of(row, now) for row in await connection.execute(query)]

    async def find(self, endpoint_id: str, *, tenant_id: str) -> WebhookEndpoint:
        """One of the tenant's; raises NotFound."""
        found = [each for each in await self.list(tenant_id) if each.id == endpoint_id]
        if not found:
            raise NotFound(f"The tenant has no webhook endpoint '{endpoint_id}'.")
        return found[0]

    async def rotate(
        self, endpoint_id: str, *, tenant_id: str, overlap: timedelta
    ) -> WebhookEndpoint:
        """Give it a new secret; the one before signs beside it for so long.

        Raises NotFound, and Conflict while an older one still signs, unless nothing is to overlap.
        """
        old = await self.find(endpoint_id, tenant_id=tenant_id)
        if overlap and len(old.secrets) > 1:
            raise Conflict(
                "The secret before the newest still signs, as its rotation promised. Rotate when "
                "that is over, or with --overlap 0s, which ends both at once."
            )
        values = {
            "secret": new_secret(),
            "previous_secret": old.secrets[0],
            "previous_until": self._clock.now() + overlap,
        }
        async with transaction(self._database.durable) as connection:
            await connection.execute(
                update(webhook_endpoint).where(webhook_endpoint.c.id == endpoint_id).values(values)
            )
        return await self.find(endpoint_id, tenant_id=tenant_id)

    async def remove(self, endpoint_id: str, *, tenant_id: str) -> None:
        """Tell it nothing more, and give up what was not delivered; raises NotFound."""
        await self.find(endpoint_id, tenant_id=tenant_id)
        given_up = {
            "state": DeliveryState.FAILED,
            "reason": _REMOVED,
            "due_at": None,
            "ended_at": self._clock.now(),
        }
        async with transaction(self._database.durable) as connection:
            await connection.execute(
                delete(webhook_endpoint).where(webhook_endpoint.c.id == endpoint_id)
            )
            await connection.execute(
                update(webhook_delivery)
                .where(
                    webhook_delivery.c.endpoint_id == endpoint_id,
                    webhook_delivery.c.due_at.is_not(None),
                )
                .values(given_up)
            )


def endpoint_of(row: Row[Any], now: datetime) -> WebhookEndpoint:
    """The endpoint of a row, with the secrets that are in force at that moment."""
    secrets = [row.secret]
    if row.previous_secret and row.previous_until is not None and row.previous_until > now:
        secrets.append(row.previous_secret)
    return WebhookEndpoint(
        id=row.id,
        tenant_id=row.tenant_id,
        url=row.url,
        events=tuple(map(EventType, row.events.split())) if row.events else None,
        created_at=row.created_at,
        secrets=tuple(secrets),
    )
