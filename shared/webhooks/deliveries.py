"""Deliveries: what each endpoint is to be told, claimed, tried, and ended."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

import msgspec
from sqlalchemy import Integer, bindparam, exists, func, select, update

from shared.clock import Clock
from shared.persistence.bulk_parameters import IdList
from shared.persistence.engine import Database
from shared.persistence.statements import insert_new, reading, transaction
from shared.settings.webhooks import WebhookSettings
from shared.webhooks.endpoints import WebhookEndpoint, endpoint_of
from shared.webhooks.signing import WebhookEvent
from shared.webhooks.tables import (
    DeliveryState,
    webhook_attempt,
    webhook_delivery,
    webhook_endpoint,
    webhook_event,
)

_JITTER: Final = 0.25
_LONGEST_WAIT_SECONDS: Final = 86_400.0


class ClaimedDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """One try, which nobody else makes until `claim_seconds` are over."""

    id: str
    event: WebhookEvent
    ordinal: int
    tries_left: int


class TriedDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a try; `error` is None where the endpoint took it.

    `is_final` says that no other try would help, `wait_seconds` that the endpoint asked for so
    long a pause at least.
    """

    claimed: ClaimedDelivery
    started_at: datetime
    seconds: float
    status: int | None = None
    error: str | None = None
    is_final: bool = False
    wait_seconds: float = 0.0


class WebhookDeliveries:
    """What the round that delivers asks the ledger; all raise LedgerUnavailable.

    Any number may do it side by side: what one has claimed the others leave.
    """

    def __init__(
        self, database: Database, settings: WebhookSettings, clock: Clock, random: Random
    ) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._random = random
        self._ids = IdList(database.durable.dialect)
        self._insert_try = insert_new(webhook_attempt, sqlite_dialect=database.is_sqlite)

    async def waiting(self, limit: int = 1_000) -> list[WebhookEndpoint]:
        """Endpoints that something is due to be delivered to."""
        now = self._clock.now()
        async with reading(self._database.relaxed) as connection:
            rows = await connection.execute(_WAITING, {"now": now, "limit": limit})
            return [endpoint_of(row, now) for row in rows]

    async def claim(
        self, endpoint_id: str, *, claim_seconds: float, limit: int
    ) -> list[ClaimedDelivery]:
        """Up to `limit` of what is due there, the longest first, each with one try begun."""
        now = self._clock.now()
        bounds = {"endpoint": endpoint_id, "now": now, "limit": limit}
        async with transaction(self._database.durable) as connection:
            rows = (await connection.execute(_DUE, bounds)).all()
            if rows:
                ids = self._ids.parameters([row.id for row in rows])
                begun = {
                    "tries": webhook_delivery.c.tries + 1,
                    "due_at": now + timedelta(seconds=claim_seconds),
                }
                named = update(webhook_delivery).where(self._ids.holds(webhook_delivery.c.id))
                await connection.execute(named.values(begun), ids)
        return [self._claimed(row) for row in rows]

    async def finish(self, tried: Sequence[TriedDelivery]) -> None:
        """Log the tries, and end the deliveries or make them due again; nothing where another try
        has begun meanwhile."""
        tries = [
            {
                "delivery_id": each.claimed.id,
                "ordinal": each.claimed.ordinal,
                "started_at": each.started_at,
                "seconds": each.seconds,
                "status": each.status,
                "error": each.error,
            }
            for each in tried
        ]
        ends = [self._end(each) for each in tried]
        async with transaction(self._database.durable) as connection:
            await connection.execute(self._insert_try, tries)
            await connection.execute(_FINISH, ends)

    def _claimed(self, row: Any) -> ClaimedDelivery:
        event = WebhookEvent(
            id=row.event_id, type=row.type, about=row.about or "", created_at=row.happened_at
        )
        made = row.tries - row.tries_before
        left = len(self._settings.retry_seconds) - made
        return ClaimedDelivery(id=row.id, event=event, ordinal=row.tries + 1, tries_left=left)

    def _end(self, tried: TriedDelivery) -> dict[str, Any]:
        now, left = self._clock.now(), tried.claimed.tries_left
        named = {"b_id": tried.claimed.id, "b_tries": tried.claimed.ordinal}
        if tried.error is None:
            ended: dict[str, Any] = {"state": DeliveryState.DELIVERED, "reason": None}
        elif tried.is_final or left <= 0:
            told = "" if tried.is_final else "No try is left of its schedule. "
            ended = {"state": DeliveryState.FAILED, "reason": told + tried.error}
        else:
            waits = self._settings.retry_seconds
            wait = waits[len(waits) - left] * (1 + self._random.random() * _JITTER)
            wait = min(max(wait, tried.wait_seconds), max(_LONGEST_WAIT_SECONDS, wait))
            due = {"due_at": now + timedelta(seconds=wait), "ended_at": None}
            return {**named, **due, "state": DeliveryState.PENDING, "reason": tried.error}
        return {**named, **ended, "due_at": None, "ended_at": now}


_LIMIT: Final = bindparam("limit", type_=Integer)
_MINE: Final = webhook_delivery.c.endpoint_id == webhook_endpoint.c.id
_WAITING: Final = (
    select(webhook_endpoint)
    .where(exists().where(_MINE, webhook_delivery.c.due_at <= bindparam("now")))
    .limit(_LIMIT)
)
_DUE: Final = (
    select(
        webhook_delivery,
        webhook_event.c.type,
        webhook_event.c.created_at.label("happened_at"),
        func.coalesce(
            webhook_event.c.message_id, webhook_event.c.batch_id, webhook_delivery.c.endpoint_id
        ).label("about"),
    )
    .join(webhook_event, webhook_event.c.id == webhook_delivery.c.event_id)
    .where(
        webhook_delivery.c.endpoint_id == bindparam("endpoint"),
        webhook_delivery.c.due_at <= bindparam("now"),
    )
    .order_by(webhook_delivery.c.due_at)
    .limit(_LIMIT)
    .with_for_update(skip_locked=True, of=webhook_delivery)
)
_FINISH: Final = (
    update(webhook_delivery)
    .where(
        webhook_delivery.c.id == bindparam("b_id"),
        webhook_delivery.c.tries == bindparam("b_tries"),
        webhook_delivery.c.state == DeliveryState.PENDING,
    )
    .values({name: bindparam(name) for name in ("state", "reason", "due_at", "ended_at")})
)
