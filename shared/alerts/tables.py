"""The tables of alerts: how each stands, what became of it, who was told, and what is silenced."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Boolean, Column, Float, Index, Integer, String, Table, Text

from shared.alerts.state import AlertEventKind, AlertState
from shared.persistence.columns import Enumerated, UtcDateTime
from shared.persistence.tables import metadata, partial_index
from shared.settings.watching.alert_rules import AlertSeverity
from shared.webhooks.tables import DeliveryState

# One row, which every round moves on: two leaders cannot both do round n.
alert_clock = Table(
    "alert_clock",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("round", Integer, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("read_at", UtcDateTime, nullable=False),
    # Until then, on this clock, nothing fires and nothing resolves: the machine's clock jumped.
    Column("held_until", Float, nullable=False),
    info={"postgresql_with": {"fillfactor": 25}},
)

# What is or was alert lately; what is long over is only in the history.
alert = Table(
    "alert",
    metadata,
    Column("fingerprint", String(64), primary_key=True),
    Column("rule", String(64), nullable=False),
    Column("labels", Text, nullable=False),
    Column("severity", Enumerated(AlertSeverity), nullable=False),
    Column("summary", Text, nullable=False),
    Column("state", Enumerated(AlertState), nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("value", Float, nullable=False),
    Column("began_at_seconds", Float, nullable=False),
    Column("clear_at_seconds", Float),
    Column("silent_at_seconds", Float),
    Column("resolved_at_seconds", Float),
    Column("flaps", Boolean, nullable=False),
    Column("told_as", Enumerated(AlertState)),
    Column("told_at_seconds", Float),
    Column("acknowledged_by", String(128)),
    Column("acknowledged_at", UtcDateTime),
)

alert_event = Table(
    "alert_event",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("rule", String(64), nullable=False),
    Column("labels", Text, nullable=False),
    Column("severity", Enumerated(AlertSeverity), nullable=False),
    Column("summary", Text, nullable=False),
    Column("kind", Enumerated(AlertEventKind), nullable=False),
    Column("value", Float, nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("by", String(128)),
    # The silence that kept it from being told.
    Column("silence_id", String(64)),
    # On the clock of alerts: when what waits for company goes out. NULL once it has, or never does.
    Column("due_at_seconds", Float),
    Column("message_id", String(64)),
    partial_index("ix_alert_event_due", "due_at_seconds", where="due_at_seconds IS NOT NULL"),
)

# What a rule knows: one that never had data says so.
alert_rule = Table(
    "alert_rule",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("first_data_at", UtcDateTime, nullable=False),
)

alert_silence = Table(
    "alert_silence",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("matchers", Text, nullable=False),
    Column("until", UtcDateTime, nullable=False),
    Column("by", String(128), nullable=False),
    Column("why", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index("ix_alert_silence_until", "until"),
)

alert_message = Table(
    "alert_message",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("body", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

alert_delivery = Table(
    "alert_delivery",
    metadata,
    Column("message_id", String(64), primary_key=True),
    Column("sink", String(64), primary_key=True),
    Column("state", Enumerated(DeliveryState), nullable=False),
    # Counted where one begins: it is the fence of what came of it.
    Column("tries", Integer, nullable=False),
    Column("due_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("reason", Text),
    partial_index("ix_alert_delivery_due", "sink", "due_at", where="due_at IS NOT NULL"),
)

CLOCK_ROW: Final = 1
