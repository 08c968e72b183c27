"""The tables of schedules, and of each time that one has come."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text

from shared.persistence.columns import Enumerated, UtcDateTime
from shared.persistence.tables import metadata, partial_index


class ScheduledKind(StrEnum):
    """What a schedule begins."""

    INDEX = "index"
    BATCH = "batch"


schedule = Table(
    "schedule",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("tenant_id", String(64), nullable=False),
    Column("name", String(128), nullable=False),
    Column("kind", Enumerated(ScheduledKind), nullable=False),
    Column("cron", String(128), nullable=False),
    Column("zone", String(64), nullable=False),
    # JSON: what is begun.
    Column("job", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("next_at", UtcDateTime),
    Index("uq_schedule_tenant_id_name", "tenant_id", "name", unique=True),
    partial_index("ix_schedule_next_at", "next_at", where="next_at IS NOT NULL"),
)

# The key is what makes a time come once, whoever looks: a schedule, and its time.
schedule_run = Table(
    "schedule_run",
    metadata,
    Column("schedule_id", ForeignKey("schedule.id"), primary_key=True),
    Column("due_at", UtcDateTime, primary_key=True),
    Column("late_seconds", Integer, nullable=False),
    # Until when whoever took it is believed to begin it; NULL once that has ended.
    Column("claimed_until", UtcDateTime),
    Column("begun_at", UtcDateTime),
    # The id of the job or batch; or why there is none.
    Column("result_id", String(64)),
    Column("error", Text),
    partial_index("ix_schedule_run_claimed", "claimed_until", where="claimed_until IS NOT NULL"),
)
