"""The flows of one lane: start-time fair queueing over units of tokens."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from shared.messages.lane import Lane
from workers.dispatch.flows.decayed import DecayedSum
from workers.dispatch.flows.flow_heap import FlowHeap
from workers.dispatch.flows.flow_queue import FlowQueue, TrackedMessage
from workers.dispatch.flows.lane_policy import LanePolicy

WeightOf = Callable[[str], float]


class LaneFlows:
    """Whose turn it is among the tenants of a lane.

    Promise: of two flows that had something waiting all the while, the units released, each by its
    weight, differ by at most one largest message of each, `c_i / w_i + c_j / w_j` (Goyal et al.,
    "Start-time fair queueing", 1996), where estimates are exact; settlement makes up for the rest.

    `virtual_time` is the counter of the flow that was released last; it never falls. `v` is the
    counter of the lane itself among its neighbours, see LaneOrder. `waiting` are the flows with
    something waiting, as they lie in the heap: as many as there are, and never more.
    """

    def __init__(self, lane: Lane, policy: LanePolicy, weight_of: WeightOf) -> None:
        self.lane = lane
        self.policy = policy
        self.yields = policy.yields
        self.v = 0.0
        self.virtual_time = 0.0
        self.released: DecayedSum | None = None
        self._weight_of = weight_of
        self._flows: dict[str, FlowQueue] = {}
        self._heap = FlowHeap()
        self.waiting = self._heap.flows

    def __iter__(self) -> Iterator[FlowQueue]:
        """Every flow that is known, with something waiting or not."""
        return iter(self._flows.values())

    def restore(self, virtual_time: float, counters: Mapping[str, float], now: float) -> None:
        """What an earlier leader has kept, before the first message is added."""
        self.virtual_time = virtual_time
        for tenant, v in counters.items():
            self.flow(tenant, now).v = v

    def flow(self, tenant: str, now: float) -> FlowQueue:
        """That of the tenant; it begins where the lane stands."""
        known = self._flows.get(tenant)
        if known is None:
            weight = self._weight_of(tenant)
            known = FlowQueue(self.lane, tenant, weight, self.virtual_time, now)
            self._flows[tenant] = known
        return known

    def add(self, tracked: TrackedMessage, now: float) -> None:
        """Lets one wait in its tenant's flow that waits nowhere."""
        flow = self.flow(tracked.message.tenant, now)
        flow.add(tracked)
        if flow.place < 0:
            self.lift(flow)
            self._heap.push(flow)

    def lift(self, flow: FlowQueue) -> None:
        """Its tenant was away, and begins where the lane stands if that is further on."""
        flow.lift(self.virtual_time)

    def remove(self, tracked: TrackedMessage) -> None:
        """Takes out one that waits here."""
        flow = tracked.flow
        flow.take_out(tracked)
        if not flow.count:
            self._heap.remove(flow)

    def first(self) -> TrackedMessage:
        """What would be released next, and stays; raises IndexError where nothing waits."""
        head = self.waiting[0].head()
        if head is None:
            raise IndexError("a flow is in the heap only while something waits in it")
        return head

    def release(self, tracked: TrackedMessage, units: float, now: float) -> None:
        """Takes out the first one, and charges `units` for it."""
        flow = tracked.flow
        self.virtual_time = max(self.virtual_time, flow.v)
        flow.take_out(tracked)
        tracked.charged, tracked.released_at = units, now
        flow.running += 1
        flow.released.add(units)
        if self.released is None:
            self.released = DecayedSum(now)
        self.released.add(units)
        flow.release(units)
        if flow.count:
            self._heap.moved(flow)
        else:
            self._heap.remove(flow)

    def charge(self, flow: FlowQueue, units: float) -> None:
        """More than was charged, or less: a refund ends one largest message below the lane."""
        flow.charge(units, self.virtual_time)
        if flow.place >= 0:
            self._heap.moved(flow)

    def tidy(self, now: float) -> None:
        """Reads the weights again, and forgets flows that a newcomer would be equal to."""
        if self.released is not None:
            self.released.decay(now)
        for tenant, flow in list(self._flows.items()):
            if not flow.count and not flow.running and flow.v <= self.virtual_time:
                del self._flows[tenant]
            else:
                flow.weight = self._weight_of(tenant)
                flow.released.decay(now)
