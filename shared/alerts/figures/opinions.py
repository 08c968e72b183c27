"""What people, and judges, said of answers."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from statistics import mean
from typing import Any, Final

from sqlalchemy import ColumnElement, Integer, Select, bindparam, func, select

from shared.alerts.deciding import FigureReading
from shared.alerts.machine import FigureValue
from shared.alerts.unit import FigureUnit
from shared.clock import Clock
from shared.evaluation.catalogue import EvaluationCatalogue
from shared.evaluation.judged_window import window_of
from shared.evaluation.tables import judged_window
from shared.feedback.tables import feedback, is_said_by_person
from shared.persistence.columns import UtcDateTime
from shared.persistence.engine import Database
from shared.persistence.statements import reading

_FEWEST: Final = 10
"""Verdicts below which their mean says nothing."""
_MOST_SETS: Final = 100
_MOST: Final = 1_000
"""The newest that are looked at."""


class OpinionFigures:
    """Means of the newest verdicts within the window, 0 to 1; unknown where there are few. All
    raise LedgerUnavailable."""

    def __init__(self, database: Database, clock: Clock, *, judges: bool = True) -> None:
        """`judges` says whether workers have answers judged."""
        self._judges = judges
        self._database = database
        self._clock = clock
        self._catalogue = EvaluationCatalogue(database)
        self._of_runs: dict[str, float | None] = {}

    async def satisfaction(self, window_seconds: float) -> FigureReading:
        """Of people."""
        return FigureReading([await self._mean(_OF_PEOPLE, window_seconds)])

    async def judge_score(self, window_seconds: float) -> FigureReading:
        """Of judges: of answers that were given, and by golden set of its newest run."""
        given = await self._mean(_OF_JUDGES, window_seconds)
        words = {"of": "answers that were given"}
        return FigureReading(
            [given._replace(words=words), *await self._judged_runs(window_seconds)]
        )

    async def unjudged_share(self, window_seconds: float) -> FigureReading:
        """Of the answers that workers had a judge asked about within the window; 1 where they
        cannot ask it at all."""
        if not self._judges:
            return FigureReading(is_data=False)
        since = self._clock.now() - timedelta(seconds=window_seconds)
        async with reading(self._database.relaxed) as connection:
            bounds = {"now": self._clock.now(), "most": _MOST_WINDOWS}
            rows = await connection.execute(_JUDGED_WINDOWS, bounds)
            newest = [*map(window_of, rows)]
        windows = [each for each in newest if each.finished_at is None or each.ends_at > since]
        asked = sum(each.judged + each.without_verdict for each in windows)
        without = sum(each.without_verdict for each in windows)
        reasons = sum((Counter(each.reasons) for each in windows), Counter[str]())
        share = without / asked if asked >= _FEWEST else None
        why = max(reasons, key=reasons.__getitem__) if reasons else ""
        if windows and windows[0].fault is not None:
            share, why = 1.0, windows[0].fault
        words = {"because": why.rstrip(".")}
        return FigureReading([FigureValue({}, share, FigureUnit.SHARE, words)])

    async def _judged_runs(self, window_seconds: float) -> list[FigureValue]:
        """Those that ended within the window; a run is read once."""
        since = self._clock.now() - timedelta(seconds=window_seconds)
        runs = await self._catalogue.newest_of_each_set(limit=_MOST_SETS)
        ended = [each for each in runs if each.judge_model and (each.finished_at or since) > since]
        known = self._of_runs
        self._of_runs = {
            each.id: known[each.id] if each.id in known else await self._share_that_passed(each.id)
            for each in ended
        }
        return [
            FigureValue(
                {"set": each.set_name},
                self._of_runs[each.id],
                FigureUnit.SCORE,
                {"of": f"the cases of {each.set_name}"},
            )
            for each in ended
        ]

    async def _share_that_passed(self, run_id: str) -> float | None:
        results = await self._catalogue.all_results(run_id)
        said = [check.passed for each in results for check in each.checks if check.judge]
        verdicts = [each for each in said if each is not None]
        return mean(verdicts) if len(verdicts) >= _FEWEST else None

    async def _mean(self, query: Select[Any], window_seconds: float) -> FigureValue:
        since = self._clock.now() - timedelta(seconds=window_seconds)
        async with reading(self._database.relaxed) as connection:
            row = (await connection.execute(query, {"since": since, "most": _MOST})).one()
        value = float(row.mean) if row.number >= _FEWEST else None
        return FigureValue({}, value, FigureUnit.SCORE)


_MOST_WINDOWS: Final = 100
_JUDGED_WINDOWS: Final = (
    select(judged_window)
    .where(judged_window.c.starts_at < bindparam("now", type_=UtcDateTime))
    .order_by(judged_window.c.starts_at.desc())
    .limit(bindparam("most", type_=Integer))
)
_NEWEST: Final = (
    select(feedback.c.value, feedback.c.source)
    .where(feedback.c.given_at > bindparam("since"))
    .order_by(feedback.c.given_at.desc())
    .limit(bindparam("most", type_=Integer))
    .subquery()
)


def _mean_of(whose: ColumnElement[bool]) -> Select[Any]:
    # What says neither good nor bad has no value, and counts for neither.
    mean, number = func.avg(_NEWEST.c.value), func.count(_NEWEST.c.value)
    return select(mean.label("mean"), number.label("number")).where(whose)


_OF_PEOPLE: Final = _mean_of(is_said_by_person(_NEWEST.c.source))
_OF_JUDGES: Final = _mean_of(~is_said_by_person(_NEWEST.c.source))
