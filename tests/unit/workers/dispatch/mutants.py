"""The scheduler with one guard taken off, so that each promise is seen to hang on its own."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from shared.messages.lane import Lane
from workers.dispatch.flows.flow_queue import TrackedMessage
from workers.dispatch.flows.held_message import HeldMessage
from workers.dispatch.flows.lane_flows import LaneFlows
from workers.dispatch.lanes.lane_order import LaneOrder
from workers.dispatch.scheduler import Scheduler


class NotSettled(Scheduler):
    """The estimate is the cost."""

    def charge(self, message_id: str, units: float, now: float) -> None: ...

    def settle(self, message_id: str, units: float, now: float) -> bool:
        return super().settle(message_id, self._tracked[message_id].charged, now)


class NotChargedWhileRunning(Scheduler):
    """The real cost is known at the end, and no sooner."""

    def charge(self, message_id: str, units: float, now: float) -> None: ...


class NotLifted(Scheduler):
    """Absence is saved up."""

    def __init__(self) -> None:
        super().__init__()
        for lane in self.lanes.values():
            lane.lift = lambda flow: None  # type: ignore[method-assign]
            lane.tidy = lambda now: None  # type: ignore[method-assign]


class CallsCounted(Scheduler):
    """Each call costs the same."""

    def add(self, message: HeldMessage, now: float) -> bool:
        return super().add(replace(message, units=1.0), now)

    def charge(self, message_id: str, units: float, now: float) -> None: ...

    def settle(self, message_id: str, units: float, now: float) -> bool:
        return super().settle(message_id, 1.0, now)


class Capped(Scheduler):
    """A tenant may use so many slots, whether others want them or not."""

    def __init__(self, cap: int) -> None:
        super().__init__()
        self._cap = cap

    def pick(self, now: float, lanes: Collection[Lane]) -> HeldMessage | None:
        for lane in self._all:
            if lane.waiting and lane.waiting[0].running >= self._cap:
                return None
        return super().pick(now, lanes)


class DeadlinesIgnored(Scheduler):
    """By acceptance inside of a flow too."""

    def add(self, message: HeldMessage, now: float) -> bool:
        return super().add(replace(message, deadline=1e9), now)


class FlowOfEachKey(Scheduler):
    """Who has more keys has more flows; a fleet's names begin with the key."""

    def add(self, message: HeldMessage, now: float) -> bool:
        key = message.id.partition("#")[0]
        return super().add(replace(message, tenant=f"{message.tenant}/{key}"), now)


class NeverUrgent(Scheduler):
    """A batch message stays one."""

    def tick(self, now: float) -> None:
        for lane in self._all:
            lane.tidy(now)


class NeverParked(Scheduler):
    """What no model would answer is released all the same."""

    def __init__(self) -> None:
        super().__init__()
        self.parking.take = lambda tracked, now: False  # type: ignore[method-assign]


class ParkedForGood(Scheduler):
    """Nobody looks at what is parked before a model is back."""

    def _move(
        self, now: float, tracked: TrackedMessage, source: LaneFlows, target: LaneFlows
    ) -> None:
        if source is not self.parking.flows:
            super()._move(now, tracked, source, target)


class OutagesCounted(Scheduler):
    """What is released in an outage is taken for how fast messages go."""

    def tick(self, now: float) -> None:
        self._promotion._usual_speed = 0.0
        super().tick(now)


class _ByAge(LaneOrder):
    def next(self, ready: Sequence[LaneFlows]) -> LaneFlows:
        head_start = {Lane.INTERACTIVE: 60.0, Lane.STANDARD: 0.0, Lane.BATCH: -3600.0}

        def age(lane: LaneFlows) -> float:
            return lane.first().message.accepted_at - head_start[lane.lane]

        return min(ready, key=age)


class LanesByAge(Scheduler):
    """Among lanes the oldest head first, with a head start."""

    def __init__(self) -> None:
        super().__init__()
        self._order = _ByAge()


class InteractiveFirst(Scheduler):
    """Nothing of another lane while anything interactive waits."""

    def __init__(self) -> None:
        super().__init__()
        self._order = _Strict()


class _Strict(LaneOrder):
    def next(self, ready: Sequence[LaneFlows]) -> LaneFlows:
        return ready[0]


class StaleEntries(Scheduler):
    """A correction pushes another entry, as it must with a heap that cannot move one."""

    def _correct(self, running: TrackedMessage, units: float, now: float) -> None:
        super()._correct(running, units, now)
        if running.flow.place >= 0:
            self.lanes[running.flow.lane]._heap.push(running.flow)
