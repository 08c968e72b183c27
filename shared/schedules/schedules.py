"""Schedules of tenants, and the times that have come: what people and the round ask."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import msgspec
from sqlalchemy import Integer, bindparam, delete, insert, select, update

from shared.clock import Clock
from shared.errors import Conflict, NotFound
from shared.identifiers import SCHEDULE, new_id
from shared.persistence.engine import Database
from shared.persistence.statements import insert_new, reading, skipping_locked, transaction
from shared.schedules.cron_line import next_time
from shared.schedules.schedule import (
    Schedule,
    ScheduledJob,
    ScheduleRun,
    run_of,
    schedule_of,
)
from shared.schedules.tables import ScheduledKind, schedule, schedule_run

_CLAIM: Final = timedelta(seconds=20)
"""Who begins a job and dies is followed after so long."""
_KEPT: Final = timedelta(days=90)
"""How long it is known what came of a time."""


class Schedules:
    """Everything raises LedgerUnavailable. A time comes once, whoever looks and however many."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._insert_run = insert_new(schedule_run, sqlite_dialect=database.is_sqlite)

    async def add(
        self,
        tenant_id: str,
        name: str,
        *,
        kind: ScheduledKind,
        cron: str,
        zone: str,
        job: ScheduledJob,
    ) -> Schedule:
        """A new one; raises InvalidRequest for its line or zone, Conflict for a name in use."""
        now = self._clock.now()
        made = Schedule(
            id=new_id(SCHEDULE),
            tenant_id=tenant_id,
            name=name,
            kind=kind,
            cron=cron,
            zone=zone,
            job=job,
            created_at=now,
            next_at=next_time(cron, zone, after=now),
        )
        row = msgspec.structs.asdict(made) | {"job": msgspec.json.encode(job).decode()}
        async with transaction(self._database.durable) as connection:
            known = {"tenant": tenant_id, "name": name}
            if (await connection.execute(_NAMED, known)).first() is not None:
                raise Conflict(f"There is a schedule '{name}' already: remove it, or name another.")
            await connection.execute(insert(schedule), row)
        return made

    async def list(self, tenant_id: str) -> list[Schedule]:
        """The tenant's, the oldest first."""
        async with reading(self._database.relaxed) as connection:
            rows = await connection.execute(_OF_TENANT, {"tenant": tenant_id})
            return [schedule_of(row) for row in rows]

    async def named(self, tenant_id: str, name: str) -> Schedule:
        """One of the tenant's; raises NotFound."""
        async with reading(self._database.relaxed) as connection:
            known = {"tenant": tenant_id, "name": name}
            row = (await connection.execute(_NAMED, known)).one_or_none()
        if row is None:
            raise NotFound(f"There is no schedule '{name}'.")
        return schedule_of(row)

    async def last_run(self, schedule_id: str) -> ScheduleRun | None:
        """The newest time that came."""
        async with reading(self._database.relaxed) as connection:
            row = (await connection.execute(_LAST, {"schedule": schedule_id})).one_or_none()
        return None if row is None else run_of(row)

    async def remove(self, tenant_id: str, name: str) -> None:
        """It begins nothing more; what it has begun goes on. Raises NotFound."""
        found = await self.named(tenant_id, name)
        async with transaction(self._database.durable) as connection:
            for table, key in ((schedule_run, "schedule_id"), (schedule, "id")):
                await connection.execute(delete(table).where(table.c[key] == found.id))

    async def run_now(self, found: Schedule) -> ScheduleRun:
        """Have it begin now, beside its own times, which stay as they are."""
        now = self._clock.now()
        row = {"schedule_id": found.id, "due_at": now, "late_seconds": 0, "claimed_until": now}
        async with transaction(self._database.durable) as connection:
            await connection.execute(self._insert_run, row)
        return ScheduleRun(schedule_id=found.id, due_at=now, late_seconds=0)

    async def come(self, limit: int = 100) -> int:
        """Note each time that has come, and when the next one is; how many schedules.

        Of times that passed while nobody looked the first is noted, and so runs once, late.
        """
        now = self._clock.now()
        async with transaction(self._database.durable) as connection:
            rows = (await connection.execute(_DUE, {"now": now, "limit": limit})).all()
            for row in rows:
                late = int((now - row.next_at).total_seconds())
                noted = {"due_at": row.next_at, "late_seconds": late, "claimed_until": now}
                await connection.execute(self._insert_run, {"schedule_id": row.id, **noted})
                following = next_time(row.cron, row.zone, after=now)
                await connection.execute(_ONWARD, {"b_id": row.id, "b_next": following})
                old = {"b_id": row.id, "b_before": now - _KEPT}
                await connection.execute(_FORGET, old)
        return len(rows)

    async def take(self, limit: int = 20) -> Sequence[tuple[Schedule, ScheduleRun]]:
        """Times that are to begin something and that nobody else has taken, the oldest first."""
        now = self._clock.now()
        async with transaction(self._database.durable) as connection:
            rows = (await connection.execute(_UNBEGUN, {"now": now, "limit": limit})).all()
            for row in rows:
                key = {"b_id": row.schedule_id, "b_due": row.due_at}
                await connection.execute(_TAKE, key | {"b_until": now + _CLAIM})
        return [(schedule_of(row), run_of(row)) for row in rows]

    async def note(
        self, run: ScheduleRun, *, result_id: str | None = None, error: str | None = None
    ) -> None:
        """What came of it."""
        values = {"begun_at": self._clock.now(), "result_id": result_id, "error": error}
        key = {"b_id": run.schedule_id, "b_due": run.due_at}
        async with transaction(self._database.durable) as connection:
            await connection.execute(_OF_RUN.values(claimed_until=None, **values), key)


_LIMIT: Final = bindparam("limit", type_=Integer)
_OF_TENANT: Final = (
    select(schedule).where(schedule.c.tenant_id == bindparam("tenant")).order_by(schedule.c.id)
)
_NAMED: Final = select(schedule).where(
    schedule.c.tenant_id == bindparam("tenant"), schedule.c.name == bindparam("name")
)
_LAST: Final = (
    select(schedule_run)
    .where(schedule_run.c.schedule_id == bindparam("schedule"))
    .order_by(schedule_run.c.due_at.desc())
    .limit(1)
)
_DUE: Final = skipping_locked(
    select(schedule)
    .where(schedule.c.next_at <= bindparam("now"))
    .order_by(schedule.c.next_at)
    .limit(_LIMIT)
)
_ONWARD: Final = (
    update(schedule).where(schedule.c.id == bindparam("b_id")).values(next_at=bindparam("b_next"))
)
_UNBEGUN: Final = (
    select(schedule, *(each for each in schedule_run.c))
    .join(schedule, schedule.c.id == schedule_run.c.schedule_id)
    .where(schedule_run.c.claimed_until <= bindparam("now"))
    .order_by(schedule_run.c.claimed_until)
    .limit(_LIMIT)
    .with_for_update(skip_locked=True, of=schedule_run)
)
_OF_RUN: Final = update(schedule_run).where(
    schedule_run.c.schedule_id == bindparam("b_id"), schedule_run.c.due_at == bindparam("b_due")
)
_FORGET: Final = delete(schedule_run).where(
    schedule_run.c.schedule_id == bindparam("b_id"),
    schedule_run.c.due_at < bindparam("b_before"),
    schedule_run.c.claimed_until.is_(None),
)
_TAKE: Final = _OF_RUN.values(claimed_until=bindparam("b_until"))
