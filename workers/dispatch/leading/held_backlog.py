"""What waits, as far as it is kept in memory: the first messages of each flow."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from shared.messages.lane import Lane
from shared.persistence.ledger.held.flow_counters import FlowKey
from shared.persistence.ledger.held.held_messages import HeldMessages
from shared.persistence.ledger.held.held_rows import HeldRow
from workers.dispatch.flows.held_message import HeldMessage
from workers.dispatch.scheduler import Scheduler

_HEADS: Final = 8
"""Messages of each flow that are read at first, and below which more are; or below as many as one
release took of it."""
_FOLLOWING: Final = 64
"""Messages that are read on at least."""
_MOST: Final = 512
"""Messages of a flow that are kept; what comes behind them is read when its time comes."""
_ARRIVALS: Final = 4_000
"""Messages that came since the last look; where there are more, each flow is looked at anew."""
REMEMBERED: Final = timedelta(seconds=10)
"""How long an arrival is known by its id, so that it is counted once."""


class _Window:
    """How far a flow has been read: up to `last`, behind which are `behind` messages, about.

    Of one that `is_whole` there is nothing behind `last`.
    """

    __slots__ = ("behind", "is_whole", "last")

    def __init__(self) -> None:
        self.last: HeldRow | None = None
        self.is_whole = True
        self.behind = 0

    def holds(self, row: HeldRow) -> bool:
        """Whether the row belongs to what has been read."""
        return self.is_whole or self.last is None or _place(row) <= _place(self.last)


class HeldBacklog:
    """Lets the first messages of each flow wait in the scheduler; raises LedgerUnavailable.

    So a million messages cost no memory, and to begin costs as much as there are flows.
    """

    def __init__(self, held: HeldMessages, scheduler: Scheduler) -> None:
        self._held = held
        self._scheduler = scheduler
        self._windows: defaultdict[FlowKey, _Window] = defaultdict(_Window)
        self._seen: dict[str, datetime] = {}
        self._looked_at: datetime | None = None

    async def load(self, now: datetime) -> None:
        """Read the first messages of every flow."""
        self._looked_at = now
        of_flow: defaultdict[FlowKey, list[HeldRow]] = defaultdict(list)
        for row in await self._held.heads(_HEADS):
            of_flow[row.lane, row.tenant_id].append(row)
        for key, rows in of_flow.items():
            window = self._windows[key]
            # More may have come into sight than the look that found it whole.
            window.is_whole = window.is_whole and len(rows) < _HEADS
            self._put(rows, now, is_read=True)

    async def count(self, now: datetime) -> None:
        """Count what lies behind what was read."""
        for key, number in (await self._held.counted()).items():
            window = self._windows[key]
            window.behind = 0 if window.is_whole else max(0, number - self._loaded(key, now))

    async def look(self, now: datetime, *, back: timedelta) -> None:
        """Read what was held since the last look, and in the time before it that was so long."""
        since = (self._looked_at or now) - back
        arrived = await self._held.arrived(since, _ARRIVALS)
        if len(arrived) == _ARRIVALS:
            await self.load(now)
            return
        self._looked_at = now
        # What was put back is held anew; its turn still counts as running until its charge is
        # folded, and the next look sees it again.
        new = [
            (at, row)
            for at, row in arrived
            if self._seen.get(row.id) != at and not self._scheduler.runs(row.id)
        ]
        self._seen.update((row.id, at) for at, row in new)
        self._put([row for _, row in new], now)
        if len(self._seen) > _ARRIVALS:
            self._seen = {name: at for name, at in self._seen.items() if now - at < REMEMBERED}

    async def refill(self, flows: Counter[FlowKey], now: datetime) -> None:
        """Read on where little of a flow is left that may go, for what was released of it."""
        for key, released in flows.items():
            window = self._windows[key]
            if window.is_whole or window.last is None or self._loaded(key, now) >= _MOST:
                continue
            if self._loaded(key, now, parked=False) >= max(_HEADS, released):
                continue
            wanted = min(_MOST, max(_FOLLOWING, 2 * released))
            rows = await self._held.following(window.last, wanted)
            window.is_whole = len(rows) < wanted
            window.behind = 0 if window.is_whole else max(1, window.behind - len(rows))
            self._put(rows, now, is_read=True)

    def behind(self, lane: Lane, tenant: str) -> int:
        """Messages of the flow that are not kept here, about."""
        window = self._windows.get((lane, tenant))
        return window.behind if window else 0

    def forget_empty(self, now: datetime) -> None:
        """Forget flows of which nothing waits."""
        empty = [
            key
            for key, window in self._windows.items()
            if window.is_whole and not self._loaded(key, now)
        ]
        for key in empty:
            del self._windows[key]

    def _put(self, rows: Iterable[HeldRow], now: datetime, *, is_read: bool = False) -> None:
        for row in rows:
            key = (row.lane, row.tenant_id)
            window = self._windows[key]
            if not is_read and not window.holds(row):
                window.behind += 1
            elif self._scheduler.add(waiting_message(row), now.timestamp()):
                if window.last is None or _place(row) > _place(window.last):
                    window.last = row
                if window.is_whole and self._loaded(key, now) >= _MOST:
                    window.is_whole = False

    def _loaded(self, key: FlowKey, now: datetime, *, parked: bool = True) -> int:
        lane, tenant = key
        number = self._scheduler.lanes[lane].flow(tenant, now.timestamp()).count
        aside = self._scheduler.parking.flows
        if parked and aside.waiting and lane == aside.lane:
            number += aside.flow(tenant, now.timestamp()).count
        return number


def _place(row: HeldRow) -> tuple[datetime, str]:
    return row.deadline, row.id


def waiting_message(row: HeldRow) -> HeldMessage:
    """The row, as the scheduler knows it."""
    return HeldMessage(
        id=row.id,
        lane=row.lane,
        tenant=row.tenant_id,
        accepted_at=row.accepted_at.timestamp(),
        deadline=row.deadline.timestamp(),
        units=float(row.estimated_tokens),
        claims=row.attempt,
    )
