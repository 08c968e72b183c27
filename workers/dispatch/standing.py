"""How the flows of a lane stand, for those who ask why something waits."""

from __future__ import annotations

from dataclasses import dataclass

from shared.messages.lane import Lane
from workers.dispatch.flows.flow_queue import FlowQueue, TrackedMessage
from workers.dispatch.flows.lane_flows import LaneFlows
from workers.dispatch.scheduler import Scheduler


@dataclass(frozen=True, slots=True)
class FlowStanding:
    """One flow at one moment.

    `share` is its part of the units that its lane released lately, 0..1. `position_units` are
    those that the lane releases before the flow's next message, `drain_units` those before a
    message that came in behind its last; None of seconds means that the lane has released
    nothing lately, and nobody knows.
    """

    lane: Lane
    tenant: str
    v: float
    weight: float
    backlog: int
    backlog_units: float
    running: int
    oldest_seconds: float
    share: float
    position_units: float
    drain_units: float
    next_seconds: float | None
    drain_seconds: float | None


def flows_standing(scheduler: Scheduler, now: float) -> list[FlowStanding]:
    """Those of every flow with something waiting, lowest counter first in each lane.

    Costs n log n for n flows: once a second is often enough.
    """
    return [each for lane in scheduler.lanes.values() for each in _of_lane(scheduler, lane, now)]


def _of_lane(scheduler: Scheduler, lane: LaneFlows, now: float) -> list[FlowStanding]:
    waiting = sorted(lane.waiting, key=lambda flow: (flow.v, flow.order))
    ratio = scheduler.ratios.ratio
    units = {flow.tenant: flow.units * ratio(flow.tenant) for flow in waiting}
    finish = {flow.tenant: flow.v + units[flow.tenant] / flow.weight for flow in waiting}
    served = _served(waiting, finish)
    lately = lane.released.sum(now) if lane.released else 0.0
    speed = lane.released.per_second(now) if lane.released else 0.0
    return [
        FlowStanding(
            lane=lane.lane,
            tenant=flow.tenant,
            v=flow.v,
            weight=flow.weight,
            backlog=flow.count,
            backlog_units=units[flow.tenant],
            running=flow.running,
            oldest_seconds=_age(flow.oldest(), now),
            share=flow.released.sum(now) / lately if lately > 0 else 0.0,
            position_units=(position := served[flow.v]),
            drain_units=(drain := served[finish[flow.tenant]]),
            next_seconds=position / speed if speed > 0 else None,
            drain_seconds=drain / speed if speed > 0 else None,
        )
        for flow in waiting
    ]


def _age(oldest: TrackedMessage | None, now: float) -> float:
    return max(0.0, now - oldest.message.accepted_at) if oldest else 0.0


def _served(waiting: list[FlowQueue], finish: dict[str, float]) -> dict[float, float]:
    """Units that the lane has released when its virtual time gets to each start and finish.

    Virtual time runs the faster the less weight has something waiting: between two neighbours of
    these times the lane releases their distance times the weight that is served between them.
    """
    steps: dict[float, float] = {}
    for flow in waiting:
        steps[flow.v] = steps.get(flow.v, 0.0) + flow.weight
        end = finish[flow.tenant]
        steps[end] = steps.get(end, 0.0) - flow.weight
    served: dict[float, float] = {}
    units = weight = 0.0
    before: float | None = None
    for at in sorted(steps):
        units += weight * (at - before) if before is not None else 0.0
        served[at] = units
        weight += steps[at]
        before = at
    return served
