"""The slots of all workers, and what lies in the broker's queues before them."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable

from deploy.replay.world.lane_figures import LaneFigures
from deploy.replay.world.virtual_message import VirtualMessage
from deploy.replay.world.virtual_time import VirtualTime
from shared.messages.lane import Lane
from shared.persistence.ledger.held.slot_counts import SlotCount


class VirtualFleet:
    """Workers that read all lanes, first come first served among what was published.

    `busy_seconds` is what slots were taken for, all together.
    """

    def __init__(
        self,
        slots: int,
        lanes: LaneFigures,
        time: VirtualTime,
        *,
        begin: Callable[[VirtualMessage], None],
    ) -> None:
        self.slots = slots
        self.running: dict[str, VirtualMessage] = {}
        self.busy_seconds = 0.0
        self.full_at: float | None = None
        self._by_lane: Counter[Lane] = Counter()
        self._published: Counter[Lane] = Counter()
        self._queue: deque[VirtualMessage] = deque()
        self._lanes = lanes
        self._time = time
        self._begin = begin

    @property
    def busy(self) -> int:
        """What runs or is on its way."""
        return len(self.running) + self._published.total()

    @property
    def busy_by_lane(self) -> tuple[int, ...]:
        """What runs, and what is on its way."""
        return (*(self._by_lane[each] for each in Lane), *(self._published[each] for each in Lane))

    def runs(self, lane: Lane) -> bool:
        return self._by_lane[lane] > 0

    def count(self) -> SlotCount:
        """As the leader of the dispatch counts it in the ledger."""
        slots = Counter({frozenset(Lane): self.slots})
        return SlotCount(slots, self._by_lane.copy(), self._published.copy())

    def publish(self, job: VirtualMessage) -> None:
        """Its wake-up is on its way to whoever has a slot."""
        self._published[job.message.lane] += 1
        self._time.at(self._time.seconds + job.way, self._arrive, job)

    def free(self, job: VirtualMessage) -> None:
        """Its turn is over, or was taken from it."""
        if self.running.pop(job.message.id, None) is None:
            return
        self._by_lane[job.message.lane] -= 1
        self.busy_seconds += self._time.seconds - job.claimed_at
        self._fill()

    def _arrive(self, job: VirtualMessage) -> None:
        self._queue.append(job)
        self._fill()

    def _fill(self) -> None:
        queue, running = self._queue, self.running
        while queue and len(running) < self.slots:
            job = queue.popleft()
            lane = job.message.lane
            self._published[lane] -= 1
            self._by_lane[lane] += 1
            running[job.message.id] = job
            job.claims += 1
            job.turn += 1
            job.claimed_at = self._time.seconds
            self._lanes.leave(job)
            if len(running) == self.slots and self.full_at is None:
                self.full_at = self._time.seconds
            self._begin(job)
