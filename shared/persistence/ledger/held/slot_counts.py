"""How many messages workers can hold at once, by lane, and how many are with them or on the way."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Integer, Select, bindparam, func, literal, or_, select, text, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.clock import Clock
from shared.messages.lane import Lane
from shared.messages.state import ResponseState
from shared.persistence.engine import Database
from shared.persistence.ledger.held.held_rows import HELD_COLUMNS, HeldRow
from shared.persistence.message_conditions import HELD, for_sweep
from shared.persistence.statements import readable, reading
from shared.persistence.tables import message, worker_lease

_ON_THE_WAY_PER_SLOT: Final = 4
_LEAST_COUNTED: Final = 100


@dataclass(frozen=True, slots=True)
class SlotCount:
    """At one moment. `slots` tells what all workers that read exactly these lanes hold at once.

    What is `published` and not claimed is counted up to some times of the slots.
    """

    slots: Counter[frozenset[Lane]] = field(default_factory=Counter)
    running: Counter[Lane] = field(default_factory=Counter)
    published: Counter[Lane] = field(default_factory=Counter)

    def of(self, *lanes: Lane) -> int:
        """Slots of workers that read all of these lanes."""
        return sum(number for read, number in self.slots.items() if read.issuperset(lanes))

    def busy(self, lane: Lane) -> int:
        """Messages of the lane that run, or are on their way to a worker."""
        return self.running[lane] + self.published[lane]

    def taken_from(self, lane: Lane, *, by: frozenset[Lane] = frozenset(Lane)) -> float:
        """Slots of `lane` that messages of the lanes `by` take: where their workers also read
        others, the part that these have in common."""
        return sum(
            self.busy(other) * self.of(lane, other) / slots
            for other in by
            if (slots := self.of(other))
        )


class SlotCounts:
    """Looks at what lives and what runs; raises LedgerUnavailable.

    It costs by the slots that there are, however much waits.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def now(self, living: Counter[frozenset[Lane]] | None = None) -> SlotCount:
        """How it stands; with the slots of who is `living`, as they were told a moment ago, only
        what is in them is looked at."""
        now = self._clock.now()
        async with reading(self._database.relaxed) as connection:
            slots = await _held_by_workers(connection, now) if living is None else living
            counted: dict[str, Counter[Lane]] = {"running": Counter(), "published": Counter()}
            limit = max(_LEAST_COUNTED, _ON_THE_WAY_PER_SLOT * slots.total())
            for row in readable(await connection.execute(_BUSY, {"now": now, "limit": limit})):
                counted[row.kind][row.lane] += row.number
        return SlotCount(slots, **counted)

    async def released(self, limit: int) -> list[tuple[datetime, HeldRow]]:
        """What was held, was released at that time and has not ended, among so many of each kind
        that run or are on their way."""
        async with reading(self._database.relaxed) as connection:
            rows = await connection.execute(_RELEASED, {"limit": limit})
            return [(row[0], HeldRow._make(row[1:])) for row in readable(rows)]


async def _held_by_workers(connection: AsyncConnection, now: datetime) -> Counter[frozenset[Lane]]:
    slots: Counter[frozenset[Lane]] = Counter()
    for worker in await connection.execute(_LIVING, {"now": now}):
        slots[_lanes_of(worker.lanes)] += worker.concurrency
    return slots


def _lanes_of(told: str) -> frozenset[Lane]:
    # A later version may have others.
    return frozenset(lane for lane in Lane if lane in told.split())


_LIMIT: Final = bindparam("limit", type_=Integer)
_NOW: Final[Any] = bindparam("now")
_LIVING: Final = select(worker_lease.c.concurrency, worker_lease.c.lanes).where(
    worker_lease.c.lease_until >= _NOW,
    worker_lease.c.concurrency.is_not(None),
    worker_lease.c.lanes.is_not(None),
)
_RUNNING: Final = (
    text(HELD),
    text(f"{for_sweep(ResponseState.IN_PROGRESS, 'leased')} AND message.lease_until IS NOT NULL"),
)
_PUBLISHED: Final = text(
    f"{for_sweep(ResponseState.QUEUED, 'due')} AND message.wake_at IS NOT NULL"
)


def _counted(kind: str, *where: Any) -> Select[Any]:
    some = select(message.c.lane).where(*where).limit(_LIMIT).subquery()
    named = literal(kind).label("kind")
    return select(some.c.lane, func.count().label("number"), named).group_by(some.c.lane)


_MAY_BE_CLAIMED: Final = or_(message.c.not_before.is_(None), message.c.not_before <= _NOW)
_BUSY: Final = union_all(
    *(_counted("running", each) for each in _RUNNING),
    _counted("published", _PUBLISHED, _MAY_BE_CLAIMED),
)


def _released(condition: Any) -> Select[Any]:
    columns = (message.c.released_at, *HELD_COLUMNS, message.c.held_at)
    some = select(*columns).where(condition).limit(_LIMIT).subquery()
    return select(*some.c[:-1]).where(some.c.held_at.is_not(None), some.c.released_at.is_not(None))


_RELEASED: Final = union_all(*map(_released, (*_RUNNING, _PUBLISHED)))
