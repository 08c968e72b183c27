"""Outcomes as they are kept: a row for each, the sums of its day, and how far the walks are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
from sqlalchemy import Integer, bindparam, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.outcomes.outcome import SPREADS, SUMS, ConversationOutcome, day_changes
from shared.outcomes.tables import outcome, outcome_day, outcome_place
from shared.persistence.bulk_parameters import IdList
from shared.persistence.columns import UtcDateTime
from shared.persistence.engine import Database
from shared.persistence.statements import upsert

_ADDED: Final = (*SUMS, *SPREADS)
_TICK: Final = timedelta(microseconds=1)


class OutcomeKeeping:
    """Writes within a connection of its caller's, who is alone with it."""

    def __init__(self, database: Database) -> None:
        ids = self._ids = IdList(database.durable.dialect)
        self._known = select(outcome).where(ids.holds(outcome.c.key))
        self._forget = delete(outcome).where(ids.holds(outcome.c.key))
        into = upsert(outcome, sqlite_dialect=database.is_sqlite)
        columns = {each.name: each for each in into.excluded if each.name != "key"}
        self._write = into.on_conflict_do_update(index_elements=["key"], set_=columns)
        day = upsert(outcome_day, sqlite_dialect=database.is_sqlite)
        added = {name: outcome_day.c[name] + day.excluded[name] for name in _ADDED}
        self._names = [each.name for each in outcome_day.primary_key]
        self._add = day.on_conflict_do_update(index_elements=self._names, set_=added)
        at = upsert(outcome_place, sqlite_dialect=database.is_sqlite)
        moved = {"place": at.excluded.place}
        self._move = at.on_conflict_do_update(index_elements=["walk"], set_=moved)

    async def keep(
        self, connection: AsyncConnection, found: Sequence[ConversationOutcome]
    ) -> list[ConversationOutcome]:
        """Put these in the place of what is known of their conversations; those that are new."""
        keys = self._ids.parameters([each.key for each in found])
        rows = await connection.execute(self._known, keys)
        known = {row.key: ConversationOutcome(**row._asdict()) for row in rows}
        found = [_as_it_was(each, known.get(each.key)) for each in found]
        await connection.execute(self._write, [msgspec.structs.asdict(each) for each in found])
        changes = day_changes((known.get(each.key), each) for each in found)
        days = [
            dict(zip(self._names, key, strict=True)) | dict(zip(_ADDED, row, strict=True))
            for key, row in changes.items()
        ]
        await connection.execute(self._add, days)
        return [each for each in found if each.key not in known]

    async def forget(self, connection: AsyncConnection, *, before: datetime, limit: int) -> None:
        """Drop rows that are older; the sums of their days stay."""
        old = {"before": before, "limit": limit}
        if keys := [*(await connection.execute(_OLD, old)).scalars()]:
            await connection.execute(self._forget, self._ids.parameters(keys))

    async def place(self, connection: AsyncConnection, walk: str, *, latest: datetime) -> datetime:
        """How far that walk is; it goes back to `latest` where a clock that was ahead took it
        further, or it would pass over all until then."""
        found: datetime | None = await connection.scalar(_PLACE, {"name": walk})
        if found is None or found <= latest:
            return found or datetime(1970, 1, 1, tzinfo=UTC)
        await connection.execute(self._move, {"walk": walk, "place": latest})
        return latest

    async def go_on(
        self,
        connection: AsyncConnection,
        walk: str,
        place: datetime,
        times: Sequence[datetime],
        *,
        limit: int,
    ) -> None:
        """Note that all of these were looked at, which began at that place."""
        if not times:
            return
        # Otherwise a page of one moment would be looked at for ever.
        may_have_more = len(times) == limit and times[-1] > place
        onward = times[-1] if may_have_more else times[-1] + _TICK
        await connection.execute(self._move, {"walk": walk, "place": onward})


def _as_it_was(
    found: ConversationOutcome, known: ConversationOutcome | None
) -> ConversationOutcome:
    """A version that only reckons it up again has not answered it."""
    if known is None or known.closed_at != found.closed_at:
        return found
    return msgspec.structs.replace(found, version=known.version)


_PLACE: Final = select(outcome_place.c.place).where(outcome_place.c.walk == bindparam("name"))
_OLD: Final = (
    select(outcome.c.key)
    .where(outcome.c.closed_at < bindparam("before", type_=UtcDateTime))
    .order_by(outcome.c.closed_at)
    .limit(bindparam("limit", type_=Integer))
)
