"""How the lanes stand, read from the ledger itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Select, bindparam, case, func, literal, or_, select, text, union_all

from shared.clock import Clock
from shared.messages.lane import Lane
from shared.messages.state import ResponseState
from shared.persistence.engine import Database
from shared.persistence.message_conditions import for_sweep
from shared.persistence.statements import reading
from shared.persistence.tables import message

COUNT_LIMIT: Final = 5_000
"""Waiting messages of a lane that are counted, from the oldest on."""
_DRAIN_LIMIT: Final = 2_000
"""Ended messages that tell how fast the lanes drain: the latest ones."""
_LOAD_WINDOW: Final = timedelta(seconds=30)
_CALLS_WINDOW: Final = timedelta(hours=1)
_CALLS_LIMIT: Final = 200


@dataclass(frozen=True, slots=True)
class LaneLoad:
    """How a lane stands: work waiting, and how fast it has been answered lately.

    `queued` stops at COUNT_LIMIT: a lane where that many wait is told by its oldest. The drain was
    seen over `window_seconds`.
    """

    queued: int
    drained_per_second: float
    oldest_seconds: float
    window_seconds: float = _LOAD_WINDOW.total_seconds()

    @property
    def is_capped(self) -> bool:
        """Whether more may wait than were counted."""
        return self.queued >= COUNT_LIMIT


class LaneLoads:
    """Looks at what waits and at what was ended lately; raises LedgerUnavailable.

    It costs the same however much there is of either.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def lane_loads(self) -> dict[Lane, LaneLoad]:
        """How each lane stands now; lanes without work have a load of zero."""
        now = self._clock.now()
        async with reading(self._database.relaxed) as connection:
            waiting = await connection.execute(_WAITING, {"now": now})
            queued = {row.lane: row for row in waiting}
            drained = (await connection.execute(_DRAINED, {"since": now - _LOAD_WINDOW})).all()
        counts = {row.lane: row.number for row in drained}
        window = _LOAD_WINDOW
        if sum(counts.values()) >= _DRAIN_LIMIT:
            window = now - min(row.since for row in drained)
        seconds = max(window.total_seconds(), 0.001)
        return {
            lane: LaneLoad(
                queued[lane].number or 0,
                counts.get(lane, 0) / seconds,
                max(0.0, (now - (queued[lane].oldest or now)).total_seconds()),
                seconds,
            )
            for lane in Lane
        }

    async def latest_calls(self, lane: Lane) -> list[float]:
        """Seconds from claim to end of the messages that were answered among those that ended
        last, within an hour; those of the other lanes where the lane has none."""
        wanted = {"since": self._clock.now() - _CALLS_WINDOW}
        async with reading(self._database.relaxed) as connection:
            rows = (await connection.execute(_CALLS, wanted)).all()
        calls = [row for row in rows if row.claimed_at and row.state is ResponseState.COMPLETED]
        of_lane = [row for row in calls if row.lane is lane] or calls
        spans = (row.finished_at - row.claimed_at for row in of_lane)
        return [max(0.0, span.total_seconds()) for span in spans]


def _waiting(lane: Lane) -> Select[tuple[Lane, int, datetime]]:
    may_be_claimed = or_(message.c.not_before.is_(None), message.c.not_before <= bindparam("now"))
    oldest = (
        select(
            case((may_be_claimed, 1), else_=0).label("is_claimable"),
            case((may_be_claimed, message.c.accepted_at)).label("accepted_at"),
        )
        .where(text(for_sweep(ResponseState.QUEUED, "waiting")), message.c.lane == lane)
        .order_by(message.c.accepted_at)
        .limit(COUNT_LIMIT)
        .subquery()
    )
    return select(
        literal(lane, message.c.lane.type).label("lane"),
        func.sum(oldest.c.is_claimable).label("number"),
        func.min(oldest.c.accepted_at).label("oldest"),
    )


def _drained() -> Select[tuple[Lane, int, datetime]]:
    latest = (
        select(message.c.lane, message.c.finished_at)
        .where(message.c.finished_at > bindparam("since"))
        .order_by(message.c.finished_at.desc())
        .limit(_DRAIN_LIMIT)
        .subquery()
    )
    return select(
        latest.c.lane, func.count().label("number"), func.min(latest.c.finished_at).label("since")
    ).group_by(latest.c.lane)


_WAITING: Final = union_all(*(_waiting(lane) for lane in Lane))
_DRAINED: Final = _drained()
_CALLS: Final = (
    select(message.c.lane, message.c.state, message.c.claimed_at, message.c.finished_at)
    .where(message.c.finished_at > bindparam("since"))
    .order_by(message.c.finished_at.desc())
    .limit(_CALLS_LIMIT)
)
