"""The outbox of webhooks on its way: from events to deliveries, and to being forgotten."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Integer, bindparam, delete, exists, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.batches.tables import batch_item
from shared.clock import Clock
from shared.identifiers import WEBHOOK_DELIVERY, new_id
from shared.persistence.bulk_parameters import IdList
from shared.persistence.engine import Database
from shared.persistence.statements import insert_new, reading, skipping_locked, transaction
from shared.persistence.tables import OF_TRAFFIC, message
from shared.settings.webhooks import WebhookSettings
from shared.webhooks.endpoints import WebhookEndpoint, endpoint_of
from shared.webhooks.tables import (
    DeliveryState,
    webhook_attempt,
    webhook_delivery,
    webhook_endpoint,
    webhook_event,
)


class WebhookOutbox:
    """Any number may do it side by side; all raise LedgerUnavailable."""

    def __init__(self, database: Database, settings: WebhookSettings, clock: Clock) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._ids = IdList(database.durable.dialect)
        self._insert = insert_new(webhook_delivery, sqlite_dialect=database.is_sqlite)

    async def fan_out(self, limit: int = 200) -> int:
        """Give each of up to `limit` events a delivery for every endpoint that wants it; how many
        events there were. A line of a batch is not told of, its batch is; nor of an evaluation."""
        now = self._clock.now()
        async with transaction(self._database.durable) as connection:
            events = (await connection.execute(_EVENTS, {"now": now, "limit": limit})).all()
            if not events:
                return 0
            tenants = self._ids.parameters(sorted({event.tenant_id for event in events}))
            of_tenants = self._ids.holds(webhook_endpoint.c.tenant_id)
            rows = await connection.execute(select(webhook_endpoint).where(of_tenants), tenants)
            endpoints = [endpoint_of(row, now) for row in rows]
            wanted = [
                _delivery(event, each, now)
                for event in events
                if not (event.is_line or event.is_evaluation)
                for each in endpoints
                if each.tenant_id == event.tenant_id and each.wants(event.type)
            ]
            if wanted:
                await connection.execute(self._insert, wanted)
            done = update(webhook_event).where(self._ids.holds(webhook_event.c.id))
            ids = self._ids.parameters([event.id for event in events])
            await connection.execute(done.values(due_at=None), ids)
        return len(events)

    async def forget_old(self, limit: int = 500) -> int:
        """Delete up to `limit` events whose time is over and whose deliveries have ended, with all
        that is logged of them; how many."""
        before = self._clock.now() - timedelta(days=self._settings.retention_days)
        async with reading(self._database.relaxed) as connection:
            old = await connection.execute(_OLD, {"before": before, "limit": limit})
            ids = [*old.scalars()]
        if ids:
            async with transaction(self._database.durable) as connection:
                await self._forget(connection, ids)
        return len(ids)

    async def _forget(self, connection: AsyncConnection, ids: list[str]) -> None:
        of_events = self._ids.holds(webhook_delivery.c.event_id)
        known = select(webhook_delivery.c.id).where(of_events)
        deliveries = [*(await connection.execute(known, self._ids.parameters(ids))).scalars()]
        for column, gone in (
            (webhook_attempt.c.delivery_id, deliveries),
            (webhook_delivery.c.id, deliveries),
            (webhook_event.c.id, ids),
        ):
            if gone:
                named = self._ids.holds(column)
                await connection.execute(
                    delete(column.table).where(named), self._ids.parameters(gone)
                )


_LIMIT: Final = bindparam("limit", type_=Integer)
_EVENTS: Final = skipping_locked(
    select(
        webhook_event.c.id,
        webhook_event.c.tenant_id,
        webhook_event.c.type,
        exists().where(batch_item.c.message_id == webhook_event.c.message_id).label("is_line"),
        # Its value and not whether there is one: Postgres would read all messages for that.
        select(~OF_TRAFFIC)
        .where(message.c.id == webhook_event.c.message_id)
        .scalar_subquery()
        .label("is_evaluation"),
    )
    .where(webhook_event.c.due_at <= bindparam("now"))
    .order_by(webhook_event.c.due_at)
    .limit(_LIMIT)
)
_UNTOLD: Final = exists().where(
    webhook_delivery.c.event_id == webhook_event.c.id,
    webhook_delivery.c.state == DeliveryState.PENDING,
)
_OLD: Final = (
    select(webhook_event.c.id)
    .where(
        webhook_event.c.created_at < bindparam("before"),
        webhook_event.c.due_at.is_(None),
        ~_UNTOLD,
    )
    .order_by(webhook_event.c.created_at)
    .limit(_LIMIT)
)


def _delivery(event: Any, endpoint: WebhookEndpoint, now: datetime) -> dict[str, Any]:
    return {
        "id": new_id(WEBHOOK_DELIVERY),
        "event_id": event.id,
        "endpoint_id": endpoint.id,
        "tenant_id": event.tenant_id,
        "state": DeliveryState.PENDING,
        "tries": 0,
        "tries_before": 0,
        "created_at": now,
        "due_at": now,
    }
