"""The times whose answers workers had judged, the latest first."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy import select

from shared.errors import InvalidRequest
from shared.evaluation.judged_window import JudgedWindow, window_of
from shared.evaluation.tables import judged_window
from shared.outcomes.interval import wilson_ends
from shared.persistence.engine import Database
from shared.persistence.statements import reading


class JudgedTime(msgspec.Struct, frozen=True, kw_only=True):
    """`share`, `low` and `high` are of what passed among what was drawn by chance and has a
    verdict, with its 95 % interval; None without one. Suspicious answers say nothing of all."""

    window: JudgedWindow
    share: float | None
    low: float | None
    high: float | None


class JudgedPage(msgspec.Struct, frozen=True):
    """`next` is where the page behind this one begins, None where nothing is left."""

    rows: list[JudgedTime]
    next: str | None


class JudgedPages:
    """Raises LedgerUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, *, before: str | None = None, limit: int) -> JudgedPage:
        """From behind that place on; raises InvalidRequest for a place that is none."""
        query = _NEWEST.limit(limit)
        if before is not None:
            query = query.where(judged_window.c.starts_at < _place(before))
        async with reading(self._database.relaxed) as connection:
            windows = [*map(window_of, await connection.execute(query))]
        following = windows[-1].starts_at.isoformat() if len(windows) == limit else None
        return JudgedPage([*map(_told, windows)], following)


def _told(window: JudgedWindow) -> JudgedTime:
    drawn, passed = window.drawn or 0, window.drawn_passed or 0
    if not drawn:
        return JudgedTime(window=window, share=None, low=None, high=None)
    low, high = wilson_ends(passed, drawn)
    return JudgedTime(window=window, share=passed / drawn, low=low, high=high)


def _place(before: str) -> datetime:
    try:
        found = datetime.fromisoformat(before)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise InvalidRequest(
            "'before' is no place in this list. Give the 'next' of the page before, unchanged.",
            param="before",
        )
    return found


_NEWEST: Final = select(judged_window).order_by(judged_window.c.starts_at.desc())
