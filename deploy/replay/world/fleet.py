"""The slots of all workers, and what lies in the broker's queues before them."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from itertools import count

from deploy.replay.world.lane_figures import LaneFigures
from deploy.replay.world.virtual_message import VirtualMessage
from deploy.replay.world.virtual_time import VirtualTime
from deploy.replay.world.ways import Ways
from shared.messages.lane import Lane
from shared.persistence.ledger.held.slot_counts import SlotCount


class VirtualFleet:
    """Workers that read all lanes. `busy_seconds` is what slots were taken for, all together.

    Of what was published those go first that came first; where they read `in_turns`, as they do on
    Redis, the lane that had its turn is the last of the next round.
    """

    def __init__(
        self,
        slots: int,
        lanes: LaneFigures,
        time: VirtualTime,
        *,
        ways: Ways,
        in_turns: bool,
        begin: Callable[[VirtualMessage], None],
    ) -> None:
        self.slots = slots
        self._turning = 0
        self.running: dict[str, VirtualMessage] = {}
        self.busy_seconds = 0.0
        self.full_at: float | None = None
        self._by_lane: Counter[Lane] = Counter()
        self._published: Counter[Lane] = Counter()
        self._queues: dict[Lane, deque[tuple[int, VirtualMessage]]] = {
            lane: deque() for lane in Lane
        }
        self._in_turns = in_turns
        self._numbers = count()
        self._lanes = lanes
        self._time = time
        self._ways = ways
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

    def count(self, busy: tuple[int, ...]) -> SlotCount:
        """What was busy, as the leader of the dispatch counts it in the ledger."""
        slots, lanes = Counter({frozenset(Lane): self.slots}), len(Lane)
        running, published = (
            Counter(dict(zip(Lane, some, strict=True))) for some in (busy[:lanes], busy[lanes:])
        )
        return SlotCount(slots, running, published)

    def publish(self, job: VirtualMessage) -> None:
        """Its wake-up is on its way to whoever has a slot."""
        self._published[job.message.lane] += 1
        now = self._time.seconds
        way = self._ways.of_release(now) if job.held else self._ways.of(job.message)
        self._time.at(now + way, self._arrive, job)

    def give_up(self, job: VirtualMessage) -> float:
        """Its message was taken from its turn, which ends when its worker has heard of it: so many
        seconds later."""
        heard = self._ways.hearing(self._time.seconds)
        self.free(job, after=heard)
        return heard

    def free(self, job: VirtualMessage, *, after: float = 0.0) -> None:
        """Its turn is over, and its slot so many seconds later."""
        if self.running.pop(job.message.id, None) is None:
            return
        self._by_lane[job.message.lane] -= 1
        now = self._time.seconds
        self.busy_seconds += now + after - job.claimed_at
        if lasts := after + self._ways.turnover(now):
            self._turning += 1
            self._time.at(now + lasts, self._take_again)
        else:
            self._fill()

    def _take_again(self) -> None:
        self._turning -= 1
        self._fill()

    def _arrive(self, job: VirtualMessage) -> None:
        self._queues[job.message.lane].append((next(self._numbers), job))
        self._fill()

    def _next(self) -> VirtualMessage | None:
        waiting = [lane for lane, queue in self._queues.items() if queue]
        if not waiting:
            return None
        if not self._in_turns:
            return self._queues[min(waiting, key=lambda lane: self._queues[lane][0])].popleft()[1]
        lane = waiting[0]
        self._queues[lane] = self._queues.pop(lane)
        return self._queues[lane].popleft()[1]

    def _fill(self) -> None:
        running = self.running
        while len(running) + self._turning < self.slots:
            job = self._next()
            if job is None:
                return
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
