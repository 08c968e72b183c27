"""How the lanes stand, read from the ledger itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select

from shared.clock import Clock
from shared.messages.lane import Lane
from shared.messages.state import ResponseState
from shared.persistence.engine import Database
from shared.persistence.statements import transaction
from shared.persistence.tables import message

_LOAD_WINDOW = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class LaneLoad:
    """How a lane stands: work waiting, and how fast it has been answered lately."""

    queued: int
    drained_per_second: float
    oldest_seconds: float


class LaneLoads:
    """Counts what waits and what was ended lately; raises LedgerUnavailable."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def lane_loads(self) -> dict[Lane, LaneLoad]:
        """How each lane stands now; lanes without work have a load of zero."""
        now = self._clock.now()
        waiting = (
            select(message.c.lane, func.count(), func.min(message.c.accepted_at))
            .where(
                message.c.state == ResponseState.QUEUED,
                or_(message.c.not_before.is_(None), message.c.not_before <= now),
            )
            .group_by(message.c.lane)
        )
        drained = (
            select(message.c.lane, func.count())
            .where(message.c.finished_at > now - _LOAD_WINDOW)
            .group_by(message.c.lane)
        )
        async with transaction(self._database.relaxed) as connection:
            queued = {row[0]: (row[1], row[2]) for row in await connection.execute(waiting)}
            done = {row[0]: row[1] for row in await connection.execute(drained)}
        return {lane: _load(queued.get(lane), done.get(lane, 0), now) for lane in Lane}


def _load(queued: tuple[int, datetime] | None, drained: int, now: datetime) -> LaneLoad:
    count, oldest = queued or (0, now)
    waited = max(0.0, (now - oldest).total_seconds())
    return LaneLoad(count, drained / _LOAD_WINDOW.total_seconds(), waited)
