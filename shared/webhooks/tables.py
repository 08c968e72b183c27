"""The tables of deliveries: what each endpoint is to be told, and each try of it."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import Column, Index, Integer, Numeric, String, Table, Text

from shared.persistence.columns import Enumerated, UtcDateTime
from shared.persistence.ledger.settlement import event_tables
from shared.persistence.tables import metadata, partial_index

webhook_endpoint = event_tables.webhook_endpoint
webhook_event = event_tables.webhook_event


class DeliveryState(StrEnum):
    """pending ──► delivered | failed ──► pending (a person asked for it again)"""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


webhook_delivery = Table(
    "webhook_delivery",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("event_id", String(64), nullable=False),
    Column("endpoint_id", String(64), nullable=False),
    Column("tenant_id", String(64), nullable=False),
    Column("state", Enumerated(DeliveryState), nullable=False),
    # Counted where one begins: it is the fence of what came of it.
    Column("tries", Integer, nullable=False),
    # Of these, those before a person asked for it again: the schedule begins anew then.
    Column("tries_before", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("reason", Text),
    Index("uq_webhook_delivery_event_id_endpoint_id", "event_id", "endpoint_id", unique=True),
    partial_index("ix_webhook_delivery_due", "endpoint_id", "due_at", where="due_at IS NOT NULL"),
    Index("ix_webhook_delivery_tenant_id_created_at", "tenant_id", "created_at"),
)

webhook_attempt = Table(
    "webhook_attempt",
    metadata,
    Column("delivery_id", String(64), primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    Column("started_at", UtcDateTime, nullable=False),
    Column("seconds", Numeric(12, 6), nullable=False),
    Column("status", Integer),
    Column("error", Text),
)
