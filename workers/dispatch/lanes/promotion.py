"""Moves what becomes urgent from a lane without a share into one that has one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from workers.dispatch.estimates import CostRatios, ServiceTimes
from workers.dispatch.flows.flow_queue import FlowQueue, TrackedMessage
from workers.dispatch.flows.lane_flows import LaneFlows
from workers.dispatch.lanes.lane_order import part_of
from workers.dispatch.lanes.urgency import is_urgent

_AT_ONCE: Final = 256
"""Messages of a tenant that one look moves: a large batch goes over in several."""

Move = Callable[[TrackedMessage, LaneFlows, LaneFlows], None]


class Promotion:
    """One look each second or so.

    The wait of a flow is what all of it would take at its tenant's share of what was released
    lately; the earliest deadline is held against it. So a tenant whose large batch has time is
    early with a small one, never late. While messages are parked it is what was released before:
    an outage says nothing of how fast they will go.
    """

    def __init__(
        self,
        lanes: Sequence[LaneFlows],
        ratios: CostRatios,
        service_times: ServiceTimes,
        *,
        parked: LaneFlows,
    ) -> None:
        """`parked` are flows beside those of the lanes."""
        self._lanes = lanes
        self._parked = parked
        self._usual_speed = 0.0
        self._ratios = ratios
        self._service_times = service_times
        self._target = min(
            (lane for lane in lanes if not lane.yields), key=lambda lane: lane.policy.share
        )

    def look(self, now: float, move: Move) -> None:
        """Calls `move` with each that has become urgent, its lane, and the one where it belongs."""
        beside = {flow.tenant: flow for flow in self._target.waiting}
        weights = sum(flow.weight for flow in beside.values())
        units_per_second = self._units_per_second(now)
        for source in (*self._lanes, self._parked):
            for flow in list(source.waiting) if source.yields else ():
                others = weights if flow.tenant in beside else weights + flow.weight
                units = self._expected_units(flow, beside.get(flow.tenant))
                speed = units_per_second * flow.weight / others
                self._look_at(source, flow, now, units / speed if speed > 0 else 0.0, move)

    def _look_at(
        self, source: LaneFlows, flow: FlowQueue, now: float, wait: float, move: Move
    ) -> None:
        service_p95 = self._service_times.quantile(source.lane, 0.95)
        for _ in range(_AT_ONCE):
            head = flow.head()
            if head is None or not is_urgent(head.message, now, service_p95=service_p95, wait=wait):
                return
            move(head, source, self._target)

    def _units_per_second(self, now: float) -> float:
        released = (lane.released.per_second(now) for lane in self._lanes if lane.released)
        speed = sum(released) * part_of(self._target, self._lanes)
        if self._parked.waiting:
            return max(speed, self._usual_speed)
        self._usual_speed = speed
        return speed

    def _expected_units(self, flow: FlowQueue, beside: FlowQueue | None) -> float:
        units = flow.units + (beside.units if beside else 0.0)
        return units * self._ratios.ratio(flow.tenant)
