"""The four figures that matter, read from the sums of days, each with how far it may be off."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from enum import StrEnum
from typing import Any, Final

import msgspec
from sqlalchemy import Row, Select, func, select

from shared.outcomes.interval import Ends, PairSums, ratio_ends, share_ends, wilson_ends
from shared.outcomes.outcome import SPREADS, SUMS
from shared.outcomes.tables import outcome_day
from shared.persistence.engine import Database
from shared.persistence.statements import reading

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
    end is None where they are too few to say where it is."""

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
    completion: OutcomeEstimate
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
        """Of these days, both included: of all together, or of each group, the largest first."""
        sums = _sums(first, last, by).limit(most)
        if tenant_id is not None:
            sums = sums.where(outcome_day.c.tenant_id == tenant_id)
        async with reading(self._database.relaxed) as connection:
            rows = (await connection.execute(sums)).all()
        return [_figures(row) for row in rows if row.conversations]


def _sums(first: date, last: date, by: OutcomeDimension | None) -> Select[*tuple[Any, ...]]:
    days = outcome_day.c
    added = [func.sum(days[name]).label(name) for name in (*SUMS, *SPREADS)]
    added += [func.count().label("days"), func.count(days.turns_squared).label("measured")]
    within = days.day.between(first.isoformat(), last.isoformat())
    if by is None:
        return select(func.max("").label("name"), *added).where(within)
    name = days[by].label("name")
    largest = func.sum(days.conversations).desc()
    return select(name, *added).where(within).group_by(name).order_by(largest, name)


def _figures(row: Row[Any]) -> OutcomeFigures:
    count, completed = int(row.conversations), int(row.completed)

    def estimate(
        ends: Callable[[PairSums], Ends], top: str, bottom: str, *spread: str
    ) -> OutcomeEstimate | None:
        names = (top, bottom, *spread)
        if not row._mapping[bottom]:
            return None
        sums = PairSums(count, *(float(row._mapping[name] or 0.0) for name in names))
        is_known = row.measured == row.days
        low, high = ends(sums) if is_known else (None, None)
        return OutcomeEstimate(sums.top / sums.bottom, low, high)

    return OutcomeFigures(
        group=row.name or "",
        conversations=count,
        successes=int(row.successes),
        handed_off=int(row.handed_off),
        negative=int(row.negative),
        asked_again=int(row.asked_again),
        turns=int(row.turns),
        cost=float(row.cost),
        unknown_costs=int(row.unknown_costs),
        completion=OutcomeEstimate(completed / count, *wilson_ends(completed, count)),
        hallucinations=estimate(share_ends, "caught", "turns", *_CAUGHT),
        satisfaction=estimate(share_ends, "score", "verdicts", *_SCORES),
        cost_per_success=estimate(ratio_ends, "cost", "successes", *_COSTS),
    )


_CAUGHT: Final = ("caught_squared", "caught_turns", "turns_squared")
_SCORES: Final = ("score_squared", "score_verdicts", "verdicts_squared")
# A success is one or none, and so is its square.
_COSTS: Final = ("cost_squared", "success_cost", "successes")
