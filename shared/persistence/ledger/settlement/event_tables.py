"""The tables of what is told to tenants by webhook: to whom, and what has not been told yet."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import Column, ForeignKey, Index, String, Table, Text

from shared.persistence.columns import Enumerated, UtcDateTime
from shared.persistence.tables import metadata, partial_index


class EventType(StrEnum):
    """What a webhook tells of, in OpenAI's words; `webhook.test` is asked for by a person."""

    RESPONSE_COMPLETED = "response.completed"
    RESPONSE_FAILED = "response.failed"
    RESPONSE_INCOMPLETE = "response.incomplete"
    RESPONSE_CANCELLED = "response.cancelled"
    BATCH_COMPLETED = "batch.completed"
    BATCH_FAILED = "batch.failed"
    BATCH_EXPIRED = "batch.expired"
    BATCH_CANCELLED = "batch.cancelled"
    TEST = "webhook.test"


webhook_endpoint = Table(
    "webhook_endpoint",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("tenant_id", ForeignKey("tenant.id"), nullable=False, index=True),
    Column("url", Text, nullable=False),
    # Types of events, with blanks between; NULL for all.
    Column("events", Text),
    Column("secret", String(128), nullable=False),
    Column("previous_secret", String(128)),
    Column("previous_until", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
)

# The outbox: written in the transaction of the end that it tells of. What it tells is in the row
# of a message or of a batch; here are their ids alone, so nothing of it has to be erased.
webhook_event = Table(
    "webhook_event",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("tenant_id", String(64), nullable=False),
    Column("type", Enumerated(EventType), nullable=False),
    Column("message_id", String(64)),
    Column("batch_id", String(64)),
    Column("created_at", UtcDateTime, nullable=False),
    # Until the endpoints that want it each have a delivery.
    Column("due_at", UtcDateTime),
    partial_index("ix_webhook_event_due_at", "due_at", where="due_at IS NOT NULL"),
    Index("ix_webhook_event_created_at", "created_at"),
)
