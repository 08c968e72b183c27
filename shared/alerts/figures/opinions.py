"""What people, and judges, said of answers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Integer, Select, bindparam, func, or_, select

from shared.alerts.deciding import FigureReading
from shared.alerts.machine import FigureValue
from shared.alerts.unit import FigureUnit
from shared.clock import Clock
from shared.feedback.tables import feedback
from shared.feedback.verdict import JUDGE
from shared.persistence.engine import Database
from shared.persistence.statements import reading

_FEWEST: Final = 10
"""Verdicts below which their mean says nothing."""
_MOST: Final = 1_000
"""The newest that are looked at."""


class OpinionFigures:
    """Means of the newest verdicts within the window, 0 to 1; unknown where there are few. All
    raise LedgerUnavailable."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def satisfaction(self, window_seconds: float) -> FigureReading:
        """Of people."""
        return await self._mean(_OF_PEOPLE, window_seconds)

    async def judge_score(self, window_seconds: float) -> FigureReading:
        """Of judges."""
        return await self._mean(_OF_JUDGES, window_seconds)

    async def _mean(self, query: Select[Any], window_seconds: float) -> FigureReading:
        since = self._clock.now() - timedelta(seconds=window_seconds)
        async with reading(self._database.relaxed) as connection:
            row = (await connection.execute(query, {"since": since, "most": _MOST})).one()
        mean = float(row.mean) if row.number >= _FEWEST else None
        return FigureReading([FigureValue({}, mean, FigureUnit.SCORE)])


_NEWEST: Final = (
    select(feedback.c.value, feedback.c.source)
    .where(feedback.c.given_at > bindparam("since"))
    .order_by(feedback.c.given_at.desc())
    .limit(bindparam("most", type_=Integer))
    .subquery()
)
_IS_JUDGE: Final = or_(_NEWEST.c.source == JUDGE, _NEWEST.c.source.startswith(f"{JUDGE}:"))


def _mean_of(whose: ColumnElement[bool]) -> Select[Any]:
    # What says neither good nor bad has no value, and counts for neither.
    mean, number = func.avg(_NEWEST.c.value), func.count(_NEWEST.c.value)
    return select(mean.label("mean"), number.label("number")).where(whose)


_OF_PEOPLE: Final = _mean_of(~_IS_JUDGE)
_OF_JUDGES: Final = _mean_of(_IS_JUDGE)
