"""Which lane is next: the same fair queueing as inside of a lane, one level up."""

from __future__ import annotations

from collections.abc import Sequence

from workers.dispatch.flows.lane_flows import LaneFlows


class LaneOrder:
    """Chooses among lanes by their counters; those without a share come last.

    Not by age: the oldest message of a flood is older than every answer that somebody else waits
    for, and the lane that it lies in would go first until it is gone.
    """

    def __init__(self) -> None:
        self._competed: Sequence[LaneFlows] = ()
        self._virtual_time = 0.0

    def next(self, ready: Sequence[LaneFlows]) -> LaneFlows:
        """One of those that have something waiting and may start; raises IndexError of none."""
        sharing = ready if len(ready) == 1 else [lane for lane in ready if not lane.yields]
        if not sharing or sharing[0].yields:
            return ready[0]
        for lane in sharing:
            if lane not in self._competed:
                lane.v = max(lane.v, self._virtual_time)
        self._competed = sharing
        chosen = sharing[0] if len(sharing) == 1 else min(sharing, key=_rank)
        self._virtual_time = max(self._virtual_time, chosen.v)
        return chosen

    @staticmethod
    def charge(lane: LaneFlows, units: float) -> None:
        """What was released from it, or corrected since; without a share it counts for nothing."""
        if not lane.yields:
            lane.v += units / lane.policy.share


def part_of(lane: LaneFlows, lanes: Sequence[LaneFlows]) -> float:
    """0..1: what `lane` gets while all of these that have something waiting get theirs."""
    shares = sum(each.policy.share for each in lanes if each.waiting or each is lane)
    return lane.policy.share / shares if shares else 1.0


def _rank(lane: LaneFlows) -> tuple[float, float]:
    return lane.v, -lane.policy.share
