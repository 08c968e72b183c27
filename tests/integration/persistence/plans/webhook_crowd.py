"""Webhooks that fill a ledger: told, waiting for their time, given up, and not fanned out yet."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Insert

from shared.persistence.ledger.settlement.event_tables import EventType
from shared.webhooks.tables import (
    DeliveryState,
    webhook_attempt,
    webhook_delivery,
    webhook_endpoint,
    webhook_event,
)

from .alert_probes import alerts

ENDPOINTS: Final = 500
"""Of as many tenants, where there are so many: all are read, by each worker, once a second."""


def webhooks(rows: Callable[..., Insert], number: float, now: datetime) -> list[Insert]:
    """So many events and deliveries of each kind, and of alerts; `rows` makes the statement."""
    old, lately, later = now - timedelta(days=60), now - timedelta(days=1), now + timedelta(days=1)
    endpoint = {"id": "we_", "tenant_id": "ten_", "url": "https://example.com/hook"}
    endpoint |= {"secret": "whsec_AAAA", "created_at": old}  # type: ignore[dict-item]
    made: dict[str, Any] = {"tenant_id": "ten_1", "type": EventType.RESPONSE_COMPLETED}
    kinds = (
        ("o", old, {"state": DeliveryState.DELIVERED, "ended_at": old}),
        ("g", lately, {"state": DeliveryState.FAILED, "ended_at": lately, "reason": "It did."}),
        ("d", lately, {"state": DeliveryState.PENDING, "due_at": lately}),
        ("l", lately, {"state": DeliveryState.PENDING, "due_at": later}),
    )
    return [
        rows(webhook_endpoint, min(ENDPOINTS, number), endpoint, numbered=("id", "tenant_id")),
        rows(
            webhook_event,
            number,
            made | {"id": "evt_n", "message_id": "resp_e", "created_at": now, "due_at": lately},
            numbered=("id", "message_id"),
        ),
        *(_events(rows, number, kind, made | {"created_at": at}) for kind, at, _ in kinds),
        *(_deliveries(rows, number, kind, at, of) for kind, at, of in kinds),
        *(_tries(rows, number, kind, at) for kind, at, _ in kinds),
        *alerts(rows, number, now),
    ]


def _events(
    rows: Callable[..., Insert], number: float, kind: str, values: dict[str, Any]
) -> Insert:
    named = {"id": f"evt_{kind}", "message_id": "resp_e"}
    return rows(webhook_event, number, values | named, numbered=("id", "message_id"))


def _deliveries(
    rows: Callable[..., Insert], number: float, kind: str, at: datetime, of: dict[str, Any]
) -> Insert:
    named = {"id": f"whd_{kind}", "event_id": f"evt_{kind}", "endpoint_id": "we_7"}
    values = {"tenant_id": "ten_7", "tries": 1, "tries_before": 0, "created_at": at}
    return rows(webhook_delivery, number, named | values | of, numbered=("id", "event_id"))


def _tries(rows: Callable[..., Insert], number: float, kind: str, at: datetime) -> Insert:
    values = {"delivery_id": f"whd_{kind}", "ordinal": 1, "started_at": at, "seconds": 1}
    return rows(webhook_attempt, number, values, numbered=("delivery_id",))
