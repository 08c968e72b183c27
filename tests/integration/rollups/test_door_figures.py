"""What doors accept and refuse is told by tenant, lane and reason."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from shared.clock import ManualClock
from shared.errors import LedgerUnavailable
from shared.persistence.engine import Database
from shared.persistence.statements import transaction
from shared.rollups.door_figures import DoorFigures
from shared.rollups.reading import Dimension, Rollups, TimeSpan


async def test_what_was_counted_is_told_once(database: Database, clock: ManualClock) -> None:
    figures, minute = DoorFigures(database), int(clock.now().timestamp()) // 60
    async with figures.appended():
        figures.counts[minute, "ten_1", "standard", ""] += 3
        figures.counts[minute, "ten_1", "batch", "budget_exhausted"] += 2
        figures.counts[minute, "ten_2", "batch", "budget_exhausted"] += 1
        await figures.append()
        figures.counts[minute, "ten_1", "standard", ""] += 1
    assert not figures.counts
    span = TimeSpan(clock.now(), clock.now() + timedelta(minutes=1))
    rows = await Rollups(database).sums(span, by=(Dimension.TENANT,))
    assert [(row.accepted, row.refused) for row in rows] == [
        (4, {"budget_exhausted": 2}),
        (0, {"budget_exhausted": 1}),
    ]
    by_reason = await Rollups(database).sums(span, by=(Dimension.REASON,))
    assert {row.dims[Dimension.REASON]: row.refused for row in by_reason} == {
        "": {},
        "budget_exhausted": {"budget_exhausted": 3},
    }


async def test_what_the_ledger_did_not_take_is_kept(database: Database) -> None:
    figures = DoorFigures(database)
    figures.counts[1, "ten_1", "standard", ""] += 3
    async with transaction(database.durable) as connection:
        await connection.execute(text("ALTER TABLE rollup_delta RENAME TO rollup_away"))
    with pytest.raises(LedgerUnavailable):
        await figures.append()
    async with transaction(database.durable) as connection:
        await connection.execute(text("ALTER TABLE rollup_away RENAME TO rollup_delta"))
    assert figures.counts.total() == 3
    await figures.append()
    assert not figures.counts
