"""The report of a span: what was answered, how soon, how surely and for how much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

import msgspec
from sqlalchemy import bindparam, func, select, text

from shared.clock import Clock
from shared.messages.state import ResponseState
from shared.persistence.engine import Database
from shared.persistence.message_conditions import for_sweep
from shared.persistence.statements import reading
from shared.persistence.tables import message
from shared.rollups.cubes import Dimension, TimeSpan
from shared.rollups.reading import Rollups
from shared.rollups.row import RollupRow
from shared.rollups.tally import CACHE, HUMAN

_CAUGHT: Final = "rejected"
"""The class of attempts whose answer the guardrail did not let through."""
_OF_USERS: Final = "user_"
"""How the reasons of refusals begin that are about one user of a tenant."""
_MICRO: Final = Decimal("0.000001")


class ReportRow(msgspec.Struct, frozen=True, kw_only=True):
    """Of one tenant, or of all where `tenant_id` is None.

    Shares and times are None where nothing has ended. Times are in seconds, money in US dollars.
    """

    tenant_id: str | None
    messages: int
    """That have ended."""
    overdue: int
    """That wait for a worker although their deadline passed in the span: nobody answered them."""
    cancelled: int
    mean_seconds: float | None
    p95_seconds: float | None
    """From acceptance to the end, within its bucket."""
    availability: float | None
    """Answered before the deadline, of all that ended and was not cancelled by its caller, and
    those that are overdue."""
    cost: Decimal
    cost_per_message: Decimal | None
    saved: Decimal
    caught: int
    """Answers that the guardrail kept back, hallucinations among them."""
    fallbacks: int
    """Messages that were answered by another than the first of the chain, by a human too."""
    refused: int
    """Messages that doors refused, for whatever reason; they are none of those above."""
    abuse: int
    """Of these, by the limits of single users."""


class OverdueMessages:
    """Those that nobody ended, as while no worker runs; raises LedgerUnavailable."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._engine = database.relaxed
        self._clock = clock

    async def by_tenant(self, span: TimeSpan) -> dict[str, int]:
        """How many wait whose deadline passed in the span. It reads these alone."""
        bounds = {"begin": span.begin, "end": min(span.end, self._clock.now())}
        async with reading(self._engine) as connection:
            rows = await connection.execute(_OVERDUE, bounds)
            return {row.tenant_id: row.number for row in rows}


class TrafficReport:
    """Reads figures; raises LedgerUnavailable.

    `first` is who is asked first: what others answer counts as a fallback. `overdue` counts, by
    tenant, what is in no figure, since nobody ended it.
    """

    def __init__(self, rollups: Rollups, overdue: Mapping[str, int], *, first: str | None) -> None:
        self._rollups = rollups
        self._overdue = overdue
        self._not_fallbacks = {"", CACHE, *([] if first is None else [first])}

    async def of(self, span: TimeSpan, *, tenant_id: str | None = None) -> list[ReportRow]:
        """One row for each tenant, by its id, and the last for all of them; of one tenant its own
        alone. None where nothing was done."""
        where = {} if tenant_id is None else {Dimension.TENANT: tenant_id}
        by = (Dimension.TENANT,)
        rows = await self._rows(span, by, where)
        if tenant_id is None and rows:
            rows += await self._rows(span, (), where)
        return rows

    async def _rows(
        self, span: TimeSpan, by: Sequence[Dimension], where: dict[Dimension, str]
    ) -> list[ReportRow]:
        ends = await self._rollups.sums(
            span, by=(*by, Dimension.STATE, Dimension.ANSWERED_BY), where=where
        )
        cancelled: dict[str | None, int] = {}
        fallbacks: dict[str | None, int] = {}
        for row in ends:
            whose = row.dims.get(Dimension.TENANT)
            if row.dims[Dimension.STATE] == ResponseState.CANCELLED:
                cancelled[whose] = cancelled.get(whose, 0) + row.messages
            if self._is_fallback(row):
                fallbacks[whose] = fallbacks.get(whose, 0) + row.messages
        found = await self._rollups.sums(span, by=by, where=where)
        told = {row.dims.get(Dimension.TENANT): row for row in found}
        overdue = self._overdue_of(where, are_apart=bool(by))
        return [
            _row(
                whose,
                told.get(whose, RollupRow(dims={})),
                overdue=overdue.get(whose, 0),
                cancelled=cancelled.get(whose, 0),
                fallbacks=fallbacks.get(whose, 0),
            )
            for whose in sorted({*told, *overdue}, key=str)
        ]

    def _overdue_of(
        self, where: Mapping[Dimension, str], *, are_apart: bool
    ) -> dict[str | None, int]:
        if not are_apart:
            return {None: sum(self._overdue.values())}
        only = where.get(Dimension.TENANT)
        return {whose: n for whose, n in self._overdue.items() if only in (None, whose)}

    def _is_fallback(self, row: RollupRow) -> bool:
        answered = row.dims[Dimension.STATE] in (ResponseState.COMPLETED, ResponseState.INCOMPLETE)
        named = row.dims[Dimension.ANSWERED_BY]
        return answered and (named == HUMAN or named not in self._not_fallbacks)


def _row(
    whose: str | None, row: RollupRow, *, overdue: int, cancelled: int, fallbacks: int
) -> ReportRow:
    wanted = row.messages - cancelled + overdue
    return ReportRow(
        tenant_id=whose,
        messages=row.messages,
        overdue=overdue,
        cancelled=cancelled,
        mean_seconds=row.latency.mean,
        p95_seconds=row.latency.quantile(0.95),
        availability=row.in_deadline / wanted if wanted else None,
        cost=row.cost,
        cost_per_message=(row.cost / row.messages).quantize(_MICRO) if row.messages else None,
        saved=row.saved,
        caught=row.errors.get(_CAUGHT, 0),
        fallbacks=fallbacks,
        refused=sum(row.refused.values()),
        abuse=sum(count for why, count in row.refused.items() if why.startswith(_OF_USERS)),
    )


_OVERDUE: Final = (
    select(message.c.tenant_id, func.count().label("number"))
    .where(
        text(for_sweep(ResponseState.QUEUED, "expiring")),
        message.c.deadline >= bindparam("begin"),
        message.c.deadline < bindparam("end"),
    )
    .group_by(message.c.tenant_id)
)
