"""The log of deliveries: what people look at, ask for again, and try an endpoint with."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Row, func, select, update

from shared.clock import Clock
from shared.errors import NotFound
from shared.identifiers import WEBHOOK_DELIVERY, WEBHOOK_EVENT, new_id
from shared.persistence.bulk_parameters import IdList
from shared.persistence.engine import Database
from shared.persistence.ledger.settlement.event_tables import EventType
from shared.persistence.statements import reading, transaction
from shared.webhooks.endpoints import WebhookEndpoint
from shared.webhooks.tables import (
    DeliveryState,
    webhook_attempt,
    webhook_delivery,
    webhook_event,
)


class LoggedTry(msgspec.Struct, frozen=True, kw_only=True):
    """One try: the status that came, or why none did."""

    ordinal: int
    started_at: datetime
    seconds: float
    status: int | None
    error: str | None


class LoggedDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """What one endpoint was told or is to be told, with its tries in order."""

    id: str
    event_id: str
    endpoint_id: str
    type: EventType
    about: str | None
    """The id of the response or batch."""
    state: DeliveryState
    tries: int
    created_at: datetime
    due_at: datetime | None
    ended_at: datetime | None
    reason: str | None
    log: tuple[LoggedTry, ...] = ()


class DeliveryLog:
    """What a person asks; all raise LedgerUnavailable."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._ids = IdList(database.durable.dialect)

    async def list(
        self, tenant_id: str, *, state: DeliveryState | None = None, limit: int = 100
    ) -> list[LoggedDelivery]:
        """The tenant's, the newest first; of any state when `state` is None."""
        query = _WHOLE.where(webhook_delivery.c.tenant_id == tenant_id)
        if state is not None:
            query = query.where(webhook_delivery.c.state == state)
        newest = webhook_delivery.c.created_at.desc(), webhook_delivery.c.id.desc()
        async with reading(self._database.relaxed) as connection:
            rows = (await connection.execute(query.order_by(*newest).limit(limit))).all()
            tries = (
                select(webhook_attempt)
                .where(self._ids.holds(webhook_attempt.c.delivery_id))
                .order_by(webhook_attempt.c.delivery_id, webhook_attempt.c.ordinal)
            )
            named = self._ids.parameters([row.id for row in rows])
            logged: dict[str, list[LoggedTry]] = {}
            for each in await connection.execute(tries, named):
                logged.setdefault(each.delivery_id, []).append(_try(each))
        return [_logged(row, tuple(logged.get(row.id, ()))) for row in rows]

    async def find(self, delivery_id: str, *, tenant_id: str) -> LoggedDelivery:
        """One of the tenant's, without its tries; raises NotFound."""
        one = webhook_delivery.c.id == delivery_id, webhook_delivery.c.tenant_id == tenant_id
        async with reading(self._database.relaxed) as connection:
            row = (await connection.execute(_WHOLE.where(*one))).one_or_none()
        if row is None:
            raise NotFound(f"The tenant has no webhook delivery '{delivery_id}'.")
        return _logged(row, ())

    async def redeliver(self, delivery_id: str, *, tenant_id: str) -> LoggedDelivery:
        """Try it again at once, under the same `webhook-id`, with its schedule from the start;
        raises NotFound."""
        await self.find(delivery_id, tenant_id=tenant_id)
        again = {
            "state": DeliveryState.PENDING,
            "due_at": self._clock.now(),
            "ended_at": None,
            "reason": None,
            "tries_before": webhook_delivery.c.tries,
        }
        async with transaction(self._database.durable) as connection:
            await connection.execute(
                update(webhook_delivery).where(webhook_delivery.c.id == delivery_id).values(again)
            )
        return await self.find(delivery_id, tenant_id=tenant_id)

    async def test(self, endpoint: WebhookEndpoint) -> str:
        """Have a `webhook.test` delivered to this endpoint alone; the delivery's id."""
        now, event_id, delivery_id = (
            self._clock.now(),
            new_id(WEBHOOK_EVENT),
            new_id(WEBHOOK_DELIVERY),
        )
        event = {"id": event_id, "type": EventType.TEST, "created_at": now}
        delivery = {
            "id": delivery_id,
            "event_id": event_id,
            "endpoint_id": endpoint.id,
            "state": DeliveryState.PENDING,
            "tries": 0,
            "tries_before": 0,
            "created_at": now,
            "due_at": now,
        }
        whose = {"tenant_id": endpoint.tenant_id}
        async with transaction(self._database.durable) as connection:
            await connection.execute(webhook_event.insert(), event | whose)
            await connection.execute(webhook_delivery.insert(), delivery | whose)
        return delivery_id


_WHOLE: Final = select(
    webhook_delivery,
    webhook_event.c.type,
    func.coalesce(webhook_event.c.message_id, webhook_event.c.batch_id).label("about"),
).join(webhook_event, webhook_event.c.id == webhook_delivery.c.event_id)


def _logged(row: Row[Any], log: tuple[LoggedTry, ...]) -> LoggedDelivery:
    names = LoggedDelivery.__struct_fields__[:-1]
    return LoggedDelivery(**{name: getattr(row, name) for name in names}, log=log)


def _try(row: Row[Any]) -> LoggedTry:
    return LoggedTry(
        ordinal=row.ordinal,
        started_at=row.started_at,
        seconds=float(row.seconds),
        status=row.status,
        error=row.error,
    )
