"""The times whose answers are judged, one after the other, and what that has cost."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import bindparam, func, select, update

from shared.evaluation.judged_window import JudgedWindow, reasons_kept, window_of
from shared.evaluation.tables import judged_window
from shared.persistence.columns import UtcDateTime
from shared.persistence.engine import Database
from shared.persistence.statements import insert_new, reading, transaction
from workers.judging.purse import AnswerJudged

SETTLED: Final = timedelta(minutes=1)
"""What ended longer ago is there, however long its transaction took."""
_CAUGHT_UP: Final = timedelta(days=1)
"""What nobody judged for longer is not judged any more."""


class JudgedWindows:
    """Everything raises LedgerUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._insert = insert_new(judged_window, sqlite_dialect=database.is_sqlite)

    async def newest(self, now: datetime) -> JudgedWindow | None:
        """The one that was begun last; none of a clock that was ahead, which would be the last for
        as long as that takes to come."""
        async with reading(self._database.durable) as connection:
            row = (await connection.execute(_NEWEST, {"now": now})).one_or_none()
        return None if row is None else window_of(row)

    async def next(self, now: datetime, every: timedelta) -> JudgedWindow | None:
        """The one that is under way, or the next that is over; None where there is none yet."""
        newest = await self.newest(now)
        if newest is not None and newest.finished_at is None:
            return newest
        end = now - SETTLED
        goes_on = end - every if newest is None else newest.ends_at
        begin = max(goes_on, end - max(every, _CAUGHT_UP))
        if end - begin < every:
            return None
        found = JudgedWindow(starts_at=begin, ends_at=begin + every)
        async with transaction(self._database.durable) as connection:
            await connection.execute(self._insert, found.row())
        return found

    async def add(
        self, window: JudgedWindow, judged: AnswerJudged, *, reasons: dict[str, int]
    ) -> None:
        """One more answer of it is done; `reasons` are those of all so far without a verdict."""
        has_verdict = judged.left_out is None and judged.passed is not None
        is_without = judged.left_out is None and judged.passed is None
        added = {
            "done": 1,
            "judged": int(has_verdict),
            "passed": int(has_verdict and judged.passed is True),
            "without_verdict": int(is_without),
            "drawn": int(has_verdict and judged.is_drawn),
            "drawn_passed": int(has_verdict and judged.is_drawn and judged.passed is True),
            "cost": judged.cost or Decimal(0),
            "unknown_costs": int(judged.cost is None),
        }
        columns = judged_window.c
        query = (
            update(judged_window)
            .where(columns.starts_at == window.starts_at)
            .values(
                {name: func.coalesce(columns[name], 0) + value for name, value in added.items()}
            )
            .values(reasons=reasons_kept(reasons), fault=None)
        )
        async with transaction(self._database.durable) as connection:
            await connection.execute(query)

    async def spend(self, window: JudgedWindow, cost: Decimal | None) -> None:
        """A question was paid for, and its answer will be judged anew."""
        spent = judged_window.c.cost + (cost or Decimal(0))
        unknown = judged_window.c.unknown_costs + int(cost is None)
        await self._change(window, cost=spent, unknown_costs=unknown)

    async def stop(self, window: JudgedWindow, *, fault: str) -> None:
        """Nothing of it is judged for now, and why."""
        await self._change(window, fault=fault)

    async def finish(self, window: JudgedWindow, *, left_over: int, at: datetime) -> None:
        """Nothing more of it is judged."""
        await self._change(window, left_over=left_over, finished_at=at, fault=None)

    async def spent(self, of: JudgedWindow) -> Decimal | None:
        """US dollars that the windows which begin on its day have cost; None where that of one
        asking is not known."""
        midnight = datetime.combine(of.starts_at.date(), time(), of.starts_at.tzinfo)
        bounds = {"since": midnight, "until": midnight + timedelta(days=1)}
        async with reading(self._database.durable) as connection:
            row = (await connection.execute(_SPENT, bounds)).one()
        return None if row.unknown_costs else Decimal(row.cost or 0)

    async def _change(self, window: JudgedWindow, **values: Any) -> None:
        query = update(judged_window).where(judged_window.c.starts_at == window.starts_at)
        async with transaction(self._database.durable) as connection:
            await connection.execute(query.values(values))


_NEWEST: Final = (
    select(judged_window)
    .where(judged_window.c.starts_at < bindparam("now", type_=UtcDateTime))
    .order_by(judged_window.c.starts_at.desc())
    .limit(1)
)
_SPENT: Final = select(
    func.sum(judged_window.c.cost).label("cost"),
    func.sum(judged_window.c.unknown_costs).label("unknown_costs"),
).where(
    judged_window.c.starts_at >= bindparam("since", type_=UtcDateTime),
    judged_window.c.starts_at < bindparam("until", type_=UtcDateTime),
)
