"""The messages of one tenant in one lane, and the counter of what they have cost."""

from __future__ import annotations

from collections import deque
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Final

from shared.dispatch.virtual_counter import VirtualCounter
from shared.messages.lane import Lane
from workers.dispatch.flows.decayed import DecayedSum
from workers.dispatch.flows.held_message import HeldMessage

_GONE_ALLOWED: Final = 16
"""Entries of messages that were taken out and are still carried, beside as many as wait."""


class TrackedMessage:
    """One that waits in `flow`, or was released from it at `released_at`.

    `charged` is what its tenant has paid for it up to here, in units.
    """

    __slots__ = ("charged", "flow", "message", "released_at", "waits")

    def __init__(self, message: HeldMessage, flow: FlowQueue) -> None:
        self.message = message
        self.flow = flow
        self.waits = False
        self.charged = 0.0
        self.released_at = 0.0

    def used(self, now: float, usual_seconds: float | None) -> float:
        """Units that are lost with it; all of its charge where nobody knows how long it takes.

        A model is paid for what it has read and said so far.
        """
        if not usual_seconds:
            return self.charged
        return self.charged * min(1.0, max(0.0, now - self.released_at) / usual_seconds)


class FlowQueue(VirtualCounter):
    """Messages in the order of their deadlines, then of acceptance.

    `count` and `units` are of what waits, `running` is what was released. `place` and `order`
    belong to the heap that holds the flow; a place of -1 is none.
    """

    __slots__ = (
        "_arrivals",
        "_numbers",
        "_queue",
        "count",
        "lane",
        "order",
        "place",
        "released",
        "running",
        "tenant",
        "units",
    )

    def __init__(self, lane: Lane, tenant: str, weight: float, v: float, now: float) -> None:
        super().__init__(weight, v)
        self.lane = lane
        self.tenant = tenant
        self.place = -1
        self.order = 0
        self.count = 0
        self.units = 0.0
        self.running = 0
        self.released = DecayedSum(now)
        self._numbers = count()
        self._queue: list[tuple[float, float, int, TrackedMessage]] = []
        self._arrivals: deque[TrackedMessage] = deque()

    def add(self, tracked: TrackedMessage) -> None:
        """Lets one wait here that waits nowhere."""
        tracked.flow, tracked.waits = self, True
        message = tracked.message
        self.count += 1
        self.units += message.units
        heappush(self._queue, self._entry(tracked))
        arrivals = self._arrivals
        if arrivals and message.accepted_at < arrivals[0].message.accepted_at:
            arrivals.appendleft(tracked)
        else:
            arrivals.append(tracked)

    def take_out(self, tracked: TrackedMessage) -> None:
        """One that waits here."""
        tracked.waits = False
        self.count -= 1
        self.units -= tracked.message.units
        if not self.count:
            self._queue.clear()
            self._arrivals.clear()
            self.units = 0.0
        elif len(self._queue) > 2 * self.count + _GONE_ALLOWED:
            self._sweep()

    def head(self) -> TrackedMessage | None:
        """What would be released next; None where nothing waits."""
        queue = self._queue
        while queue:
            tracked = queue[0][3]
            if tracked.waits and tracked.flow is self:
                return tracked
            heappop(queue)
        return None

    def oldest(self) -> TrackedMessage | None:
        """What waits longest, as far as messages came in the order of their acceptance."""
        arrivals = self._arrivals
        while arrivals and not (arrivals[0].waits and arrivals[0].flow is self):
            arrivals.popleft()
        return arrivals[0] if arrivals else None

    def _entry(self, tracked: TrackedMessage) -> tuple[float, float, int, TrackedMessage]:
        message = tracked.message
        return message.deadline, message.accepted_at, next(self._numbers), tracked

    def _sweep(self) -> None:
        kept = [each for each in self._arrivals if each.waits and each.flow is self]
        self._arrivals = deque(kept)
        self._queue = [self._entry(each) for each in kept]
        heapify(self._queue)
