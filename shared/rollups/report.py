"""The report of a span: what was answered, how soon, how surely and for how much."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import msgspec

from shared.messages.state import ResponseState
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
    cancelled: int
    mean_seconds: float | None
    p95_seconds: float | None
    """From acceptance to the end, within its bucket."""
    availability: float | None
    """Answered before the deadline, of all that ended and was not cancelled by its caller."""
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


class TrafficReport:
    """Reads figures; raises LedgerUnavailable.

    `first` is who is asked first: what others answer counts as a fallback.
    """

    def __init__(self, rollups: Rollups, *, first: str | None) -> None:
        self._rollups = rollups
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
        told = [(row.dims.get(Dimension.TENANT), row) for row in found]
        return [
            _row(whose, row, cancelled=cancelled.get(whose, 0), fallbacks=fallbacks.get(whose, 0))
            for whose, row in told
        ]

    def _is_fallback(self, row: RollupRow) -> bool:
        answered = row.dims[Dimension.STATE] in (ResponseState.COMPLETED, ResponseState.INCOMPLETE)
        named = row.dims[Dimension.ANSWERED_BY]
        return answered and (named == HUMAN or named not in self._not_fallbacks)


def _row(whose: str | None, row: RollupRow, *, cancelled: int, fallbacks: int) -> ReportRow:
    wanted = row.messages - cancelled
    return ReportRow(
        tenant_id=whose,
        messages=row.messages,
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
