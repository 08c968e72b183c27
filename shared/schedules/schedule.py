"""A schedule, what it begins, and one time that came."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row

from shared.schedules.tables import ScheduledKind


class ScheduledJob(msgspec.Struct, frozen=True, kw_only=True):
    """What is begun: a folder or checkout into a collection, or a file as a batch."""

    source: str | None = None
    collection_id: str | None = None
    file_id: str | None = None
    endpoint: str | None = None
    window_seconds: int | None = None


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """One of a tenant's; `next_at` is None where no time comes any more."""

    id: str
    tenant_id: str
    name: str
    kind: ScheduledKind
    cron: str
    zone: str
    job: ScheduledJob
    created_at: datetime
    next_at: datetime | None


class ScheduleRun(msgspec.Struct, frozen=True, kw_only=True):
    """One time that came: begun `late_seconds` late, with what it led to or why to nothing."""

    schedule_id: str
    due_at: datetime
    late_seconds: int
    begun_at: datetime | None = None
    result_id: str | None = None
    error: str | None = None


def schedule_of(row: Row[Any]) -> Schedule:
    """The schedule of a row."""
    fields = {name: getattr(row, name) for name in Schedule.__struct_fields__}
    return Schedule(**fields | {"job": msgspec.json.decode(row.job, type=ScheduledJob)})


def run_of(row: Row[Any]) -> ScheduleRun:
    """The time of a row."""
    return ScheduleRun(**{name: getattr(row, name) for name in ScheduleRun.__struct_fields__})
