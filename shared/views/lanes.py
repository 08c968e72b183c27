"""What waits in each lane: whose it is, why, and how long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from msgspec.structs import asdict

from shared.dispatch.credit import LaneSlots, read_lanes
from shared.dispatch.flows import FlowBoard, FlowFigures, FlowsTold
from shared.messages.lane import Lane
from shared.redis.guarded import GuardedRedis


class LaneShown(msgspec.Struct, frozen=True, kw_only=True):
    """One lane: turns that its workers can hold at once, those that are free, messages held.

    `oldest_seconds` is how long the oldest held message of any tenant has waited, and
    `eta_seconds` how long the slowest of its flows would hold what arrives now; None where that
    cannot be told.
    """

    lane: Lane
    slots: int
    free: int
    held: int
    parked: int
    oldest_seconds: float
    eta_seconds: float | None


class FlowShown(FlowFigures, frozen=True, kw_only=True):
    """What one tenant has waiting in one lane; a tenant that is gone has its id for a name."""

    lane: Lane
    tenant: str
    tenant_id: str


class LaneView(msgspec.Struct, frozen=True):
    """Nothing is held where nobody leads: what is accepted goes to the broker at once."""

    leader: str | None
    lanes: Sequence[LaneShown] = ()
    flows: Sequence[FlowShown] = ()
    """The largest share first."""


async def look_at_lanes(
    redis: GuardedRedis,
    tenant_names: Mapping[str, str],
    *,
    lane: Lane | None = None,
    is_one: bool = False,
) -> LaneView:
    """All lanes, or that one; with `is_one` the flows of the named tenants alone.

    Raises RedisUnavailable.
    """
    slots, told = await read_lanes(redis), await FlowBoard(redis).all()
    if told is None:
        return LaneView(None)
    wanted = [each for each in Lane if lane is None or each is lane]
    return LaneView(
        told.leader,
        [_lane(each, slots[each], told) for each in wanted if each in slots],
        _flows(told, wanted, tenant_names, is_one=is_one),
    )


def _lane(lane: Lane, slots: LaneSlots, told: FlowsTold) -> LaneShown:
    flows = [each for flow, each in told.flows.items() if flow.lane is lane]
    etas = [each.eta_seconds for each in flows]
    known = [each for each in etas if each is not None]
    return LaneShown(
        lane=lane,
        slots=slots.slots,
        free=slots.free,
        held=sum(each.backlog for each in flows),
        parked=sum(each.parked for each in flows),
        oldest_seconds=max((each.oldest_seconds for each in flows), default=0.0),
        eta_seconds=max(known, default=0.0) if len(known) == len(etas) else None,
    )


def _flows(
    told: FlowsTold, lanes: Sequence[Lane], names: Mapping[str, str], *, is_one: bool
) -> list[FlowShown]:
    shown = [
        FlowShown(
            **asdict(figures),
            lane=flow.lane,
            tenant=names.get(flow.tenant_id, flow.tenant_id),
            tenant_id=flow.tenant_id,
        )
        for flow, figures in told.flows.items()
        if flow.lane in lanes and (not is_one or flow.tenant_id in names)
    ]
    return sorted(shown, key=lambda each: (-each.share, each.lane, each.tenant))
