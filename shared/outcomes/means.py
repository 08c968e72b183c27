"""The four figures that matter by version and variant, without intervals: cheap to read often."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

import msgspec
from sqlalchemy import Row, String, bindparam, func, select

from shared.outcomes.tables import outcome_day
from shared.persistence.engine import Database
from shared.persistence.statements import reading


class OutcomeMeans(msgspec.Struct, frozen=True, kw_only=True):
    """Those of one version and variant. A figure of nothing is None."""

    version: str
    variant: str
    task_completion: float | None
    hallucination: float | None
    satisfaction: float | None
    cost_per_success: float | None
    """US dollars; attempts of unknown cost are not in it."""


async def outcome_means(database: Database, first: date, last: date) -> list[OutcomeMeans]:
    """Of these days of UTC, both included; the groups of most conversations first.

    Raises LedgerUnavailable.
    """
    days = {"first": first.isoformat(), "last": last.isoformat()}
    async with reading(database.relaxed) as connection:
        return [_means(row) for row in await connection.execute(_SUMS, days)]


def _means(row: Row[Any]) -> OutcomeMeans:
    return OutcomeMeans(
        version=row.version,
        variant=row.variant,
        task_completion=_share(row.completed, row.conversations),
        hallucination=_share(row.caught, row.turns),
        satisfaction=_share(row.score, row.verdicts),
        cost_per_success=_share(row.cost, row.successes),
    )


def _share(top: Any, bottom: Any) -> float | None:
    return float(top) / float(bottom) if bottom else None


_DAY: Final = outcome_day.c
_ADDED: Final = ("conversations", "completed", "successes", "turns", "caught", "score", "verdicts")
_MOST: Final = func.sum(_DAY.conversations).desc()
_SUMS: Final = (
    select(
        _DAY.version,
        _DAY.variant,
        *(func.sum(_DAY[name]).label(name) for name in (*_ADDED, "cost")),
    )
    .where(
        _DAY.day.between(bindparam("first", type_=String), bindparam("last", type_=String)),
        _DAY.conversations > 0,
    )
    .group_by(_DAY.version, _DAY.variant)
    .order_by(_MOST, _DAY.version, _DAY.variant)
)
