"""What people said of answers, and what was caught in them, tenant by tenant: for a report."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import msgspec
from sqlalchemy import func, select

from shared.outcomes.tables import outcome_day
from shared.persistence.engine import Database
from shared.persistence.statements import reading


class OutcomeTotal(msgspec.Struct, frozen=True):
    """Of conversations that closed in the days."""

    caught: int = 0
    """Turns in which something was caught that is not so."""
    verdicts: int = 0
    score: float = 0.0
    """The sum of what people's verdicts are worth, each 0 to 1."""

    @property
    def satisfaction(self) -> float | None:
        """The mean verdict; None where nobody said anything."""
        return self.score / self.verdicts if self.verdicts else None

    def __add__(self, other: OutcomeTotal) -> OutcomeTotal:
        return OutcomeTotal(
            self.caught + other.caught, self.verdicts + other.verdicts, self.score + other.score
        )


class OutcomeTotals:
    """Raises LedgerUnavailable. A day is one of UTC."""

    def __init__(self, database: Database) -> None:
        self._engine = database.relaxed

    async def of_tenants(self, first: date, last: date) -> Mapping[str, OutcomeTotal]:
        """By the tenant's id, of these days, both included; those that have any."""
        days = outcome_day.c
        sums = (func.sum(days[name]) for name in ("caught", "verdicts", "score"))
        query = (
            select(days.tenant_id, *sums)
            .where(days.day.between(first.isoformat(), last.isoformat()))
            .group_by(days.tenant_id)
        )
        async with reading(self._engine) as connection:
            rows = (await connection.execute(query)).all()
        return {
            tenant_id: OutcomeTotal(int(caught), int(verdicts), float(score))
            for tenant_id, caught, verdicts, score in rows
        }
