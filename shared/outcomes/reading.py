"""The four figures that matter, read from the sums of days, each with how far it may be off."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cache
from math import isfinite
from typing import Any, Final

import msgspec
from sqlalchemy import Row, Select, func, select

from shared.evaluation.bootstrap import Bootstrap, Estimate
from shared.outcomes.outcome import SUMS
from shared.outcomes.tables import outcome, outcome_day
from shared.persistence.engine import Database
from shared.persistence.statements import reading

MOST_DRAWN: Final = 1_000
"""The newest conversations that an interval is drawn from."""
MOST_GROUPS: Final = 100


class OutcomeDimension(StrEnum):
    """What figures can be told apart by."""

    TENANT = "tenant_id"
    VERSION = "version"
    MODEL = "model"
    ROUTE = "route"
    VARIANT = "variant"


class OutcomeEstimate(msgspec.Struct, frozen=True):
    """A figure of all conversations, and where it lies with 95 % as far as those are a sample. An
    end is None where the rows to draw from are gone, or are too few to say where it is."""

    mean: float
    low: float | None = None
    high: float | None = None


class OutcomeFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Those of one group. A figure of nothing is None."""

    group: str
    conversations: int
    successes: int
    handed_off: int
    negative: int
    asked_again: int
    turns: int
    cost: float
    """US dollars of all attempts whose cost is known; `unknown_costs` counts the others."""
    unknown_costs: int
    drawn: int
    """The conversations that the intervals are drawn from."""
    completion: OutcomeEstimate | None
    """Conversations that ended with an answer of a model or a cache, of all."""
    hallucinations: OutcomeEstimate | None
    """Turns in which something was caught that is not so, of all."""
    satisfaction: OutcomeEstimate | None
    """The mean of people's verdicts, 0 to 1."""
    cost_per_success: OutcomeEstimate | None
    """US dollars of all conversations, by those that were a success."""


class Outcomes:
    """Raises LedgerUnavailable. A day is one of UTC."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def figures(
        self,
        first: date,
        last: date,
        *,
        by: OutcomeDimension | None = None,
        tenant_id: str | None = None,
        most: int = MOST_GROUPS,
    ) -> list[OutcomeFigures]:
        """Of these days, both included: of all together, or of each group, the largest first.

        Intervals are drawn in a thread, a fifth of a second for a thousand conversations.
        """
        sums = _sums(first, last, by).limit(most)
        if tenant_id is not None:
            sums = sums.where(outcome_day.c.tenant_id == tenant_id)
        found: list[tuple[Row[Any], Sequence[Row[Any]]]] = []
        # To draw takes longest; equal numbers of conversations are drawn from alike.
        dice = cache(Bootstrap)
        async with reading(self._database.relaxed) as connection:
            for row in (await connection.execute(sums)).all():
                if not row.conversations:
                    continue
                drawn = _drawn(first, last)
                if by is not None:
                    drawn = drawn.where(outcome.c[by] == row.name)
                if tenant_id is not None:
                    drawn = drawn.where(outcome.c.tenant_id == tenant_id)
                found.append((row, (await connection.execute(drawn)).all()))
        return [await asyncio.to_thread(_figures, row, drawn, dice) for row, drawn in found]


def _sums(first: date, last: date, by: OutcomeDimension | None) -> Select[*tuple[Any, ...]]:
    days = outcome_day.c
    added = [func.sum(days[name]).label(name) for name in SUMS]
    within = days.day.between(first.isoformat(), last.isoformat())
    if by is None:
        return select(func.max("").label("name"), *added).where(within)
    name = days[by].label("name")
    largest = func.sum(days.conversations).desc()
    return select(name, *added).where(within).group_by(name).order_by(largest, name)


def _drawn(first: date, last: date) -> Select[Any]:
    begin = datetime.combine(first, time(), UTC)
    end = datetime.combine(last + timedelta(days=1), time(), UTC)
    return (
        select(outcome)
        .where(outcome.c.closed_at >= begin, outcome.c.closed_at < end)
        .order_by(outcome.c.closed_at.desc())
        .limit(MOST_DRAWN)
    )


def _figures(
    row: Row[Any], drawn: Sequence[Row[Any]], dice_for: Callable[[int], Bootstrap]
) -> OutcomeFigures:
    dice = dice_for(len(drawn)) if drawn else None

    def share(
        top: float, bottom: float, of: Callable[[Any], tuple[float, float]]
    ) -> OutcomeEstimate | None:
        if not bottom:
            return None
        mean = float(top) / float(bottom)
        drawn_from = None if dice is None else _ratio(dice, [of(each) for each in drawn])
        if drawn_from is None:
            return OutcomeEstimate(mean)
        return OutcomeEstimate(mean, _end(drawn_from.low), _end(drawn_from.high))

    return OutcomeFigures(
        group=row.name or "",
        conversations=int(row.conversations),
        successes=int(row.successes),
        handed_off=int(row.handed_off),
        negative=int(row.negative),
        asked_again=int(row.asked_again),
        turns=int(row.turns),
        cost=float(row.cost),
        unknown_costs=int(row.unknown_costs),
        drawn=len(drawn),
        completion=share(row.completed, row.conversations, lambda one: (one.is_completed, 1.0)),
        hallucinations=share(row.caught, row.turns, lambda one: (one.caught, one.turns)),
        satisfaction=share(row.score, row.verdicts, lambda one: (one.score, one.verdicts)),
        cost_per_success=share(
            row.cost, row.successes, lambda one: (float(one.cost), _is_success(one))
        ),
    )


def _ratio(dice: Bootstrap, pairs: Sequence[tuple[float, float]]) -> Estimate | None:
    try:
        return dice.ratio([one for one, _ in pairs], [other for _, other in pairs])
    except ZeroDivisionError:
        return None


def _end(value: float) -> float | None:
    return value if isfinite(value) else None


def _is_success(one: Any) -> float:
    against = one.is_handed_off or one.is_negative or one.is_asked_again
    return float(one.is_completed and not against)
