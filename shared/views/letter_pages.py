"""Dead letters, the newest first, a page at a time, and how many are open of each reason."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Select, func, select, text, tuple_

from shared.messages.dead_letter import DeadReason
from shared.persistence.dead_letters import LetterRow
from shared.persistence.engine import Database
from shared.persistence.statements import readable, reading
from shared.persistence.tables import OPEN_LISTED, dead_letter
from shared.views.place import Place

LETTERS_LOOKED_AT: Final = 5_000
"""Letters that a page, or a count, looks at."""


class LetterFilter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which dead letters: open ones, unless it `is_everything`."""

    reason: DeadReason | None = None
    tenant_id: str | None = None
    is_everything: bool = False


class LetterPage(msgspec.Struct, frozen=True, kw_only=True):
    """`next` is where the page behind this one begins; with few rows it was looked back to it."""

    rows: Sequence[LetterRow]
    next: str | None


class LetterCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Open letters by reason; of the newest `LETTERS_LOOKED_AT` alone where it `is_cut`."""

    by_reason: dict[DeadReason, int]
    is_cut: bool


class LetterPages:
    """Pages of dead letters; everything raises LedgerUnavailable.

    However many there are, and however many of them are closed, a page reads some thousands.
    """

    def __init__(self, database: Database, *, looked_at: int = LETTERS_LOOKED_AT) -> None:
        self._database = database
        self._looked_at = looked_at

    async def page(
        self, wanted: LetterFilter, *, before: Place | None = None, limit: int
    ) -> LetterPage:
        """Those of the filter from behind that place on."""
        looked = self._looked(wanted, before).subquery()
        page = select(looked).order_by(looked.c.created_at.desc(), looked.c.id.desc()).limit(limit)
        for name in ("reason", "tenant_id"):
            if (value := getattr(wanted, name)) is not None:
                page = page.where(looked.c[name] == value)
        last = self._looked(wanted, before).with_only_columns(*_PLACE)
        async with reading(self._database.relaxed) as connection:
            rows = [LetterRow(**row._mapping) for row in readable(await connection.execute(page))]
            if len(rows) == limit:
                return LetterPage(rows=rows, next=Place(rows[-1].created_at, rows[-1].id).told())
            behind = last.offset(self._looked_at - 1).limit(1)
            found = (await connection.execute(behind)).one_or_none()
        return LetterPage(rows=rows, next=None if found is None else Place(*found).told())

    async def counts(self) -> LetterCounts:
        """How many are open, by reason."""
        latest = _NEWEST.where(text(OPEN_LISTED)).limit(self._looked_at).subquery()
        counted = select(latest.c.reason, func.count()).group_by(latest.c.reason)
        async with reading(self._database.relaxed) as connection:
            rows = (await connection.execute(counted)).all()
        by_reason: dict[DeadReason, int] = {row[0]: row[1] for row in rows}
        is_cut = sum(by_reason.values()) == self._looked_at
        return LetterCounts(by_reason=by_reason, is_cut=is_cut)

    def _looked(self, wanted: LetterFilter, before: Place | None) -> Select[Any]:
        found = _NEWEST if wanted.is_everything else _NEWEST.where(text(OPEN_LISTED))
        if before is not None:
            found = found.where(tuple_(*_PLACE) < before.row(*_PLACE))
        return found.limit(self._looked_at)


_PLACE: Final = (dead_letter.c.created_at, dead_letter.c.id)
_NEWEST: Final[Select[Any]] = select(
    *(dead_letter.c[name] for name in LetterRow.__struct_fields__)
).order_by(*(column.desc() for column in _PLACE))
