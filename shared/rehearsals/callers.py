"""What callers saw over some time: how their messages ended, when, and who answered."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Integer, bindparam, select

from shared.messages.lane import Lane
from shared.messages.state import ResponseState
from shared.persistence.engine import Database
from shared.persistence.statements import reading
from shared.persistence.tables import message

MOST: Final = 20_000
"""Messages that are looked at: the first ones of the time."""


class CallersSaw(msgspec.Struct, frozen=True):
    """Of messages that ended then. Seconds are from acceptance to end, None without any message.

    Those of the batch lane are left out: nobody waits for them.
    """

    messages: int
    in_time: int
    """Completed before their deadline."""
    failed: int
    answered_by: dict[str, int]
    p50_seconds: float | None
    p95_seconds: float | None


async def what_callers_saw(database: Database, since: datetime, until: datetime) -> CallersSaw:
    """Of the time from `since` on and before `until`; raises LedgerUnavailable."""
    wanted = {"since": since, "until": until, "limit": MOST}
    async with reading(database.relaxed) as connection:
        rows = (await connection.execute(_ENDED, wanted)).all()
    return _summed([row for row in rows if row.lane is not Lane.BATCH])


def _summed(rows: list[Any]) -> CallersSaw:
    completed = [row for row in rows if row.state is ResponseState.COMPLETED]
    seconds = sorted((row.finished_at - row.accepted_at).total_seconds() for row in rows)
    return CallersSaw(
        messages=len(rows),
        in_time=sum(row.finished_at <= row.deadline for row in completed),
        failed=sum(row.state is ResponseState.FAILED for row in rows),
        answered_by=dict(Counter(row.answered_by for row in completed if row.answered_by)),
        p50_seconds=_at(seconds, 0.5),
        p95_seconds=_at(seconds, 0.95),
    )


def _at(ordered: list[float], share: float) -> float | None:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None


_ENDED: Final = (
    select(
        message.c.state,
        message.c.lane,
        message.c.answered_by,
        message.c.accepted_at,
        message.c.finished_at,
        message.c.deadline,
    )
    .where(message.c.finished_at >= bindparam("since"), message.c.finished_at < bindparam("until"))
    .order_by(message.c.finished_at)
    .limit(bindparam("limit", type_=Integer))
)
