"""What was said against answers, the latest first, of one tenant or of all."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from sqlalchemy import Select, select, text, tuple_

from shared.feedback.record import FeedbackRecord, record_of_row
from shared.feedback.tables import feedback
from shared.persistence.engine import Database
from shared.persistence.statements import reading
from shared.views.place import Place

LOOKED_AT: Final = 5_000
"""Verdicts of all tenants that a page looks at; those of one have an index of their own."""


class FeedbackPage(msgspec.Struct, frozen=True):
    """`next` is where the page behind this one begins, None where nothing is left.

    A page may have few rows, or none, while there are more.
    """

    rows: list[FeedbackRecord]
    next: str | None


class NegativeFeedback:
    """Everything raises LedgerUnavailable."""

    def __init__(self, database: Database, *, looked_at: int = LOOKED_AT) -> None:
        self._database = database
        self._looked_at = looked_at

    async def page(
        self, *, tenant_id: str | None = None, before: Place | None = None, limit: int
    ) -> FeedbackPage:
        """From behind that place on."""
        looked = select(feedback).order_by(*(column.desc() for column in _PLACE))
        if before is not None:
            looked = looked.where(tuple_(*_PLACE) < before.row(*_PLACE))
        if tenant_id is not None:
            mine = looked.where(feedback.c.tenant_id == tenant_id, _NEGATIVE)
            rows = await self._rows(mine.limit(limit))
            return FeedbackPage(rows, _behind(rows) if len(rows) == limit else None)
        near = looked.limit(self._looked_at).subquery()
        order = near.c.given_at.desc(), near.c.id.desc()
        against = select(near).where(near.c.is_negative).order_by(*order)
        rows = await self._rows(against.limit(limit))
        if len(rows) == limit:
            return FeedbackPage(rows, _behind(rows))
        last = await self._rows(looked.offset(self._looked_at - 1).limit(1))
        return FeedbackPage(rows, _behind(last) if last else None)

    async def _rows(self, query: Select[Any]) -> list[FeedbackRecord]:
        async with reading(self._database.relaxed) as connection:
            return [record_of_row(row._asdict()) for row in await connection.execute(query)]


def _behind(rows: list[FeedbackRecord]) -> str:
    return Place(rows[-1].at, rows[-1].id).told()


_PLACE: Final = (feedback.c.given_at, feedback.c.id)
_NEGATIVE: Final = text("is_negative")
"""As the index of these spells it."""
