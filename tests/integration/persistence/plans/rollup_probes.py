"""The statements of figures, what fills a ledger with them, and how to run them there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Insert

from shared.clock import Clock
from shared.persistence.engine import Database
from shared.rollups.door_figures import DoorFigures
from shared.rollups.folding import Folding
from shared.rollups.forgetting import Forgetting
from shared.rollups.reading import Dimension, Rollups, TimeSpan
from shared.rollups.tables import EVERYBODY, rollup_attempt, rollup_turn
from shared.settings.watching.rollups import RollupSettings

RollupProbe = Callable[[Database, Clock], Awaitable[object]]


def figures(rows: Callable[..., Insert], number: float, now: datetime) -> list[Insert]:
    """Tenants in plenty, an hour ago and before minutes are kept; `rows` makes the statement."""
    turn: dict[str, Any] = {"model": "m", "lane": "standard", "state": "completed"}
    turn |= {"worker": EVERYBODY, "variant": "", "answered_by": "p", "messages": 1}
    attempt: dict[str, Any] = {"provider": "p", "model": "m", "lane": "standard"}
    attempt |= {"error_class": "", "variant": "", "attempts": 1}
    begun = now.replace(minute=0, second=0, microsecond=0)
    whole = {"tenant_id": EVERYBODY, "seconds": 3_600, "starts_at": begun}
    made = []
    for seconds in (60, 3_600, 86_400):
        kept = {"tenant_id": "ten_", "seconds": seconds, "starts_at": begun - timedelta(hours=1)}
        made.append(rows(rollup_turn, number, turn | kept, numbered=("tenant_id",)))
        made.append(rows(rollup_attempt, number, attempt | kept, numbered=("tenant_id",)))
    made.append(rows(rollup_turn, 20, turn | whole | {"worker": "w"}, numbered=("worker",)))
    old = {"tenant_id": "ten_", "seconds": 60, "starts_at": begun - timedelta(days=30)}
    made.append(rows(rollup_turn, 100, turn | old, numbered=("tenant_id",)))
    return made


async def _sums(database: Database, clock: Clock) -> object:
    span = TimeSpan(clock.now() - timedelta(days=2), clock.now())
    rollups = Rollups(database)
    await rollups.sums(span, by=(Dimension.MODEL,))
    return await rollups.sums(span, where={Dimension.TENANT: "ten_7"})


async def _series(database: Database, clock: Clock) -> object:
    span = TimeSpan(clock.now() - timedelta(days=2), clock.now() + timedelta(hours=1))
    rows = await Rollups(database).series(span, timedelta(hours=1), by=(Dimension.WORKER,))
    assert rows
    return rows


async def _forgotten(database: Database, clock: Clock) -> object:
    forgotten = await Forgetting(database, RollupSettings(), clock).forget_old()
    assert forgotten == 100
    return forgotten


async def _counted(database: Database, clock: Clock) -> object:
    door, minute = DoorFigures(database), int(clock.now().timestamp()) // 60
    door.counts[minute, "ten_7", "standard", ""] += 1
    return await door.append()


ROLLUP_PROBES: Final[dict[str, RollupProbe]] = {
    "DoorFigures.append": _counted,
    "Rollups.sums": _sums,
    "Rollups.series": _series,
    "Rollups.missing_since": lambda database, _: Rollups(database).missing_since(),
    "Folding.fold": lambda database, _: Folding(database).fold(),
    "Forgetting.forget_old": _forgotten,
}
ROLLUPS_BY_HAND: Final = {
    "Rollups": {"are_behind"},
    "OutcomeTotals": {"of_tenants"},
    "OverdueMessages": {"by_tenant"},
}
"""For a report alone."""
