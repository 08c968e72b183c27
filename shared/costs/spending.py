"""What was spent, read from the attempts that the ledger keeps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, select

from shared.costs.price import NANO
from shared.persistence.engine import Database
from shared.persistence.statements import reading
from shared.persistence.tables import attempt, tenant


class SpendingBy(StrEnum):
    """What the rows of a report stand for."""

    TENANT = "tenant"
    USER = "user"
    MODEL = "model"
    LANE = "lane"
    PROVIDER = "provider"
    DAY = "day"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendingRow:
    """The attempts of one tenant, user, …, and what they cost in US dollars.

    Tokens of the cache are parts of those of input, those of reasoning a part of those of output.
    `cost` adds up what is known; `unknown` says how many attempts it lacks, `estimated` how many
    it holds whose tokens no provider reported.
    """

    of: str
    messages: int
    attempts: int
    input_tokens: int
    cached_tokens: int
    cache_write_tokens: int
    output_tokens: int
    reasoning_tokens: int
    cost: Decimal
    unknown: int
    estimated: int


class Spending:
    """Reads attempts, which outlive their message's deletion; raises LedgerUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def report(self, by: SpendingBy, *, since: datetime | None = None) -> list[SpendingRow]:
        """One row for each tenant, user, …, the dearest first; days in their order."""
        query = _report(self._of(by))
        if since is not None:
            query = query.where(attempt.c.booked_at >= since)
        async with reading(self._database.relaxed) as connection:
            rows = [_row(row) for row in await connection.execute(query)]
        if by is SpendingBy.DAY:
            return sorted(rows, key=lambda row: row.of)
        return sorted(rows, key=lambda row: (-row.cost, row.of))

    def _of(self, by: SpendingBy) -> ColumnElement[Any]:
        match by:
            case SpendingBy.TENANT:
                return func.coalesce(tenant.c.name, attempt.c.tenant_id, "")
            case SpendingBy.USER:
                return func.coalesce(attempt.c.user_id, "")
            case SpendingBy.MODEL:
                return attempt.c.model
            case SpendingBy.LANE:
                return attempt.c.lane
            case SpendingBy.PROVIDER:
                return attempt.c.provider
            case SpendingBy.DAY:
                return self._day()

    def _day(self) -> ColumnElement[Any]:
        if self._database.is_sqlite:
            return func.date(attempt.c.booked_at)
        return func.to_char(func.timezone("UTC", attempt.c.booked_at), "YYYY-MM-DD")


def _report(of: ColumnElement[Any]) -> Select[Any]:
    counted = {
        "messages": func.count(attempt.c.message_id.distinct()),
        "attempts": func.count(),
        "input_tokens": func.sum(attempt.c.input_tokens),
        "cached_tokens": func.sum(attempt.c.cached_tokens),
        "cache_write_tokens": func.sum(attempt.c.cache_write_tokens),
        "output_tokens": func.sum(attempt.c.output_tokens),
        "reasoning_tokens": func.sum(attempt.c.reasoning_tokens),
        "cost": func.sum(attempt.c.cost),
        "unknown": func.sum(case((attempt.c.cost.is_(None), 1), else_=0)),
        "estimated": func.sum(case((attempt.c.is_estimated.is_(True), 1), else_=0)),
    }
    return (
        select(of.label("of"), *(column.label(name) for name, column in counted.items()))
        .select_from(attempt.outerjoin(tenant, tenant.c.id == attempt.c.tenant_id))
        .group_by(of)
    )


def _row(row: Any) -> SpendingRow:
    return SpendingRow(
        of=str(row.of or ""),
        messages=row.messages,
        attempts=row.attempts,
        input_tokens=row.input_tokens or 0,
        cached_tokens=row.cached_tokens or 0,
        cache_write_tokens=row.cache_write_tokens or 0,
        output_tokens=row.output_tokens or 0,
        reasoning_tokens=row.reasoning_tokens or 0,
        # SQLite adds up in floating point; what was booked has nine places.
        cost=Decimal(row.cost or 0).quantize(NANO, ROUND_HALF_EVEN),
        unknown=row.unknown,
        estimated=row.estimated,
    )
