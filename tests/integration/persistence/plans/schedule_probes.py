"""The statements of schedules, what fills a ledger with them, and how to run them there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Insert

from shared.clock import Clock
from shared.persistence.engine import Database
from shared.schedules.schedule_round import ScheduleRound
from shared.schedules.schedules import Schedules
from shared.schedules.tables import ScheduledKind, schedule, schedule_run

from .console_probes import sessions
from .feedback_probes import verdicts

ScheduleProbe = Callable[[Database, Clock], Awaitable[object]]


def schedules(rows: Callable[..., Insert], number: float, now: datetime) -> list[Insert]:
    """So many that wait and some that are due, with so many times that came, and what was said of
    answers; `rows` makes the statement."""
    made: dict[str, Any] = {"tenant_id": "ten_1", "kind": ScheduledKind.INDEX, "cron": "0 0 * * *"}
    made |= {"zone": "UTC", "job": "{}", "created_at": now}
    ran: dict[str, Any] = {"schedule_id": "sched_l", "due_at": now, "late_seconds": 0}
    later, lately = now + timedelta(days=1), now - timedelta(minutes=1)
    numbered = ("id", "name")
    return [
        *verdicts(rows, number, now),
        *sessions(rows, number, now),
        rows(
            schedule,
            number,
            made | {"id": "sched_l", "name": "later ", "next_at": later},
            numbered=numbered,
        ),
        rows(
            schedule,
            20,
            made | {"id": "sched_d", "name": "due ", "next_at": lately},
            numbered=numbered,
        ),
        rows(schedule_run, number, ran | {"begun_at": now}, numbered=("schedule_id",)),
    ]


async def _whole(database: Database, clock: Clock) -> object:
    return await ScheduleRound(database, clock)()


async def _come(database: Database, clock: Clock) -> object:
    assert await Schedules(database, clock).come(limit=10) == 10
    assert len(await Schedules(database, clock).take(limit=10)) == 10
    return None


SCHEDULE_PROBES: Final[dict[str, ScheduleProbe]] = {
    "Schedules.come": _come,
    "ScheduleRound.__call__": _whole,
}
PARTS_OF_SCHEDULES: Final = {
    "Schedules.take": "Schedules.come",
    "Schedules.note": "ScheduleRound.__call__",
    "ScheduleRound.begin": "ScheduleRound.__call__",
}
SCHEDULES_BY_HAND: Final = {
    "Schedules": {"add", "list", "named", "last_run", "remove", "run_now"},
}
