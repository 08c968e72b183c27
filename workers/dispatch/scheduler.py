"""Which message is released next, so that every tenant gets its share of the tokens.

Weighted virtual token counters: Sheng et al., "Fairness in serving large language models"
(arXiv 2401.00588), which is start-time fair queueing (Goyal, Vin, Cheng, SIGCOMM 1996) over the
cost of calls. What a call costs is known only when it has ended, so there is, beyond the paper,

- settlement: the estimate is charged at release, and corrected to the real cost;
- charging while it runs, so that a call that was said to be short is noticed before it ends;
- a lift on return: who was away gets what is its own from then on, and nothing for its absence;
- the earliest deadline first inside of a flow.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import partial
from typing import Final

from shared.messages.lane import Lane
from workers.dispatch.estimates import CostRatios, ServiceTimes
from workers.dispatch.flows.flow_queue import FlowQueue, TrackedMessage
from workers.dispatch.flows.held_message import HeldMessage
from workers.dispatch.flows.lane_flows import LaneFlows, WeightOf
from workers.dispatch.flows.lane_policy import LANE_POLICIES, LanePolicy
from workers.dispatch.lanes.ceilings import Ceilings
from workers.dispatch.lanes.lane_order import LaneOrder
from workers.dispatch.lanes.promotion import Promotion
from workers.dispatch.lanes.waste import WasteBudget
from workers.dispatch.parking.parking import Parking

_LEAST_UNITS: Final = 1.0
"""Of a call: one that cost nothing would keep its flow in front for ever."""


class Scheduler:
    """The order of one capacity, which is a set of slots that its lanes share.

    A flow is a lane and a tenant. Times are seconds of one clock that never runs back, costs units
    as of HeldMessage. An urgent batch message is released as a standard one and keeps its `lane`.
    """

    def __init__(
        self,
        *,
        weight_of: WeightOf = lambda _tenant: 1.0,
        policies: Mapping[Lane, LanePolicy] = LANE_POLICIES,
        waste: WasteBudget | None = None,
    ) -> None:
        self.ratios = CostRatios()
        self.service_times = ServiceTimes()
        self.waste = waste or WasteBudget()
        self.ceilings = Ceilings(policies, self.waste)
        self.lanes: Final = {
            lane: LaneFlows(lane, policy, weight_of) for lane, policy in policies.items()
        }
        self._all = tuple(self.lanes.values())
        self._order = LaneOrder()
        batch = self.lanes[Lane.BATCH]
        parked = LaneFlows(batch.lane, batch.policy, weight_of)
        self.parking = Parking(parked, batch)
        self._promotion = Promotion(self._all, self.ratios, self.service_times, parked=parked)
        self._tracked: dict[str, TrackedMessage] = {}
        self._yielding: dict[str, TrackedMessage] = {}

    def __contains__(self, message_id: str) -> bool:
        """Whether it waits or runs."""
        return message_id in self._tracked

    def runs(self, message_id: str) -> bool:
        """Whether it was released and has not ended, as far as is known here."""
        return self._running(message_id) is not None

    def add(self, message: HeldMessage, now: float) -> bool:
        """Lets it wait; False, and nothing else, where it waits or runs already."""
        if message.id in self._tracked:
            return False
        lane = self.lanes[message.lane]
        tracked = TrackedMessage(message, lane.flow(message.tenant, now))
        self._tracked[message.id] = tracked
        lane.add(tracked, now)
        return True

    def remove(self, message_id: str) -> bool:
        """Takes out one that is no longer wanted; False where it does not wait."""
        tracked = self._tracked.get(message_id)
        if tracked is None or not tracked.waits:
            return False
        del self._tracked[message_id]
        if not self.parking.remove(tracked):
            self.lanes[tracked.flow.lane].remove(tracked)
        return True

    def pick(self, now: float, lanes: Collection[Lane]) -> HeldMessage | None:
        """Releases the next message of these lanes, and charges its tenant what it may cost; None
        where nothing waits. On the way one past its deadline is dropped, for the ledger to end, and
        one that no model would answer is parked.
        """
        while ready := [lane for lane in self._all if lane.waiting and lane.lane in lanes]:
            lane = self._order.next(ready)
            tracked = lane.first()
            message = tracked.message
            if message.deadline <= now:
                self.remove(message.id)
                continue
            if self.parking.take(tracked, now):
                continue
            estimate = max(_LEAST_UNITS, message.units * self.ratios.ratio(message.tenant))
            lane.release(tracked, estimate, now)
            self._order.charge(lane, estimate)
            if lane.yields:
                self._yielding[message.id] = tracked
                self.waste.worked(estimate, now)
            return message
        return None

    def charge(self, message_id: str, units: float, now: float) -> None:
        """A running message has cost `units` up to here; charged as far as it is above before."""
        running = self._running(message_id)
        if running is not None and units > running.charged:
            self._correct(running, units, now)

    def settle(self, message_id: str, units: float, now: float) -> bool:
        """A running message has ended and has cost `units`; False where it does not run here.

        What it cost and how long it took is learned, except from one that cost nothing.
        """
        running = self._end_run(message_id, units, now)
        if running is None:
            return False
        del self._tracked[message_id]
        if units > 0:
            message = running.message
            self.ratios.learn(message.tenant, estimated=message.units, real=units)
            self.service_times.learn(message.lane, now - running.released_at)
        return True

    def charge_tenant(self, lane: Lane, tenant: str, units: float, now: float) -> None:
        """Charges for a message that was not released here: by an earlier leader, or by a door."""
        flow = self.lanes[lane].flow(tenant, now)
        self._book(flow, units, now)

    def take_back(self, message_id: str, now: float) -> bool:
        """One that was released waits again and has cost nothing; False where it does not run."""
        running = self._end_run(message_id, 0.0, now)
        if running is None:
            return False
        self.lanes[running.flow.lane].add(running, now)
        return True

    def running(self) -> Iterator[TrackedMessage]:
        return (each for each in self._tracked.values() if not each.waits)

    def youngest_yielding(self) -> TrackedMessage | None:
        """The running call that loses least by being taken back, of those that may be."""
        return next(reversed(self._yielding.values()), None)

    def tick(self, now: float) -> None:
        """To be called each second: moves what is urgent, forgets tenants that are gone."""
        for lane in (*self._all, self.parking.flows):
            lane.tidy(now)
        self._promotion.look(now, partial(self._move, now))

    def _running(self, message_id: str) -> TrackedMessage | None:
        tracked = self._tracked.get(message_id)
        return None if tracked is None or tracked.waits else tracked

    def _end_run(self, message_id: str, units: float, now: float) -> TrackedMessage | None:
        running = self._running(message_id)
        if running is not None:
            self._yielding.pop(message_id, None)
            self._correct(running, units, now)
            running.flow.running -= 1
        return running

    def _correct(self, running: TrackedMessage, units: float, now: float) -> None:
        difference, running.charged = units - running.charged, units
        running.flow.largest = max(running.flow.largest, units)
        self._book(running.flow, difference, now)

    def _book(self, flow: FlowQueue, units: float, now: float) -> None:
        if units:
            lane = self.lanes[flow.lane]
            lane.charge(flow, units)
            self._order.charge(lane, units)
            if lane.yields:
                self.waste.worked(units, now)

    def _move(
        self, now: float, tracked: TrackedMessage, source: LaneFlows, target: LaneFlows
    ) -> None:
        if not self.parking.remove(tracked):
            source.remove(tracked)
        target.add(tracked, now)
