"""What waits for a person, the longest waiting first, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Select, func, select, text, tuple_

from shared.persistence.engine import Database
from shared.persistence.handoffs import HandoffRow
from shared.persistence.statements import readable, reading
from shared.persistence.tables import OPEN_LISTED, handoff
from shared.views.place import Place

MOST_WAITING_COUNTED: Final = 5_000
_MOST_REASONS: Final = 20


class InboxPage(msgspec.Struct, frozen=True, kw_only=True):
    """`next` is where the page behind this one begins, None where nothing is left."""

    rows: Sequence[HandoffRow]
    next: str | None


class InboxCounts(msgspec.Struct, frozen=True, kw_only=True):
    """What waits, by reason, the commonest first; of the longest waiting where it `is_cut`."""

    by_reason: dict[str, int]
    waiting: int
    oldest_at: datetime | None
    is_cut: bool


class Inbox:
    """Pages of handoffs; everything raises LedgerUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, *, is_everything: bool = False, before: Place | None = None, limit: int
    ) -> InboxPage:
        """Open ones, the longest waiting first; or all, the newest first."""
        found = _ALL if is_everything else _WAITING
        if before is not None:
            here, place = tuple_(*_PLACE), before.row(*_PLACE)
            found = found.where(here < place if is_everything else here > place)
        async with reading(self._database.relaxed) as connection:
            result = await connection.execute(found.limit(limit))
            rows = [HandoffRow(**row._mapping) for row in readable(result)]
        is_whole = len(rows) == limit
        following = Place(rows[-1].created_at, rows[-1].id).told() if is_whole else None
        return InboxPage(rows=rows, next=following)

    async def counts(self) -> InboxCounts:
        """How many wait, why, and since when the longest does."""
        async with reading(self._database.relaxed) as connection:
            rows = (await connection.execute(_COUNTED)).all()
        waiting = sum(row.number for row in rows)
        ordered = sorted(rows, key=lambda row: (-row.number, row.reason))
        return InboxCounts(
            by_reason={row.reason: row.number for row in ordered[:_MOST_REASONS]},
            waiting=waiting,
            oldest_at=min((row.oldest for row in rows), default=None),
            is_cut=waiting == MOST_WAITING_COUNTED,
        )


_PLACE: Final = (handoff.c.created_at, handoff.c.id)
_COLUMNS: Final = tuple(handoff.c[name] for name in HandoffRow.__struct_fields__)
_ALL: Final[Select[Any]] = select(*_COLUMNS).order_by(*(column.desc() for column in _PLACE))
_WAITING: Final[Select[Any]] = select(*_COLUMNS).where(text(OPEN_LISTED)).order_by(*_PLACE)
_OLDEST: Final = _WAITING.limit(MOST_WAITING_COUNTED).subquery()
_COUNTED: Final = select(
    _OLDEST.c.reason,
    func.count().label("number"),
    func.min(_OLDEST.c.created_at).label("oldest"),
).group_by(_OLDEST.c.reason)
