"""What the leader tells: the lanes' credits to doors, and how each flow stands to who asks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from shared.clock import Clock
from shared.dispatch.credit import Credits
from shared.dispatch.flows import Flow, FlowBoard, FlowFigures
from shared.messages.lane import Lane
from shared.persistence.ledger.held.slot_counts import SlotCount
from shared.redis.guarded import GuardedRedis
from shared.telemetry.metrics import Metrics
from workers.dispatch.flows.flow_queue import FlowQueue
from workers.dispatch.leading.fleet_room import FleetRoom
from workers.dispatch.leading.held_backlog import HeldBacklog
from workers.dispatch.leading.releasing import lanes_that_wait
from workers.dispatch.leading.wait_reasons import WaitReasons
from workers.dispatch.scheduler import Scheduler
from workers.dispatch.standing import FlowStanding, flows_standing

_MOST_FLOWS: Final = 5_000
"""Flows whose figures are told, those that are served soonest."""


class FlowTelling:
    """Redis away costs the figures, and doors publish by themselves; it raises nothing."""

    def __init__(
        self,
        scheduler: Scheduler,
        backlog: HeldBacklog,
        redis: GuardedRedis,
        metrics: Metrics,
        clock: Clock,
        *,
        leader: str,
        lease_seconds: float,
        holds: bool = True,
        why_parked: Callable[[str], str],
        reasons: WaitReasons,
    ) -> None:
        """Where it `holds` nothing, doors are told nothing: they publish at once."""
        self._holds = holds
        self._why = why_parked
        self._reasons = reasons
        self._scheduler = scheduler
        self._backlog = backlog
        self._redis = redis
        self._board = FlowBoard(redis)
        self._credits = Credits()
        self._metrics = metrics
        self._clock = clock
        self._leader = leader
        self._lease_seconds = lease_seconds
        self._told: frozenset[Lane] | None = None

    @property
    def is_stale(self) -> bool:
        """Whether doors believe of another set of lanes that it waits."""
        return self._told != lanes_that_wait(self._scheduler)

    async def credits(self, room: FleetRoom) -> None:
        """Tell doors what they may publish."""
        waiting = lanes_that_wait(self._scheduler)
        lanes = room.for_doors(waiting) if self._holds else {}
        if lanes:  # where no worker is, or none is to be held, nobody dispatches: it lapses
            run = self._credits.setting(lanes, lease_seconds=self._lease_seconds)
            await self._redis.run_each([run])
        self._told = waiting

    async def figures(self, slots: SlotCount) -> None:
        """Tell how each flow stands."""
        now = self._clock.now().timestamp()
        self._reasons.look(slots, now)
        held: Counter[Lane] = Counter()
        told: dict[Flow, FlowFigures] = {}
        for each in flows_standing(self._scheduler, now):
            behind = self._backlog.behind(each.lane, each.tenant)
            held[each.lane] += each.backlog + behind
            if len(told) < _MOST_FLOWS:
                reason = self._reasons.of_lane(each.lane, slots, now)
                told[Flow(each.lane, each.tenant)] = _figures(each, behind, reason.sentence)
        held[Lane.BATCH] += self._add_parked(told, now)
        runs = self._board.writing(told, leader=self._leader, lease_seconds=self._lease_seconds)
        await self._redis.run_each(runs)
        for lane in Lane:
            self._metrics.held_messages.labels(lane).set(held[lane])
        self._metrics.wasted_share.set(self._scheduler.waste.wasted_share(now))

    def _add_parked(self, told: dict[Flow, FlowFigures], now: float) -> int:
        """Tell of what is parked, beside what waits of the same flow; how many these are."""
        number, flows = 0, self._scheduler.parking.flows
        for each in flows.waiting:
            head, key = each.head(), Flow(flows.lane, each.tenant)
            known = told.get(key)
            behind = 0 if known else self._backlog.behind(flows.lane, each.tenant)
            number += each.count + behind
            if head is not None and (known or len(told) < _MOST_FLOWS):
                units = each.units * self._scheduler.ratios.ratio(each.tenant)
                why = self._why(head.message.id)
                told[key] = _with_parked(known, each, behind, units=units, why=why, now=now)
        return number


def _figures(each: FlowStanding, behind: int, reason: str) -> FlowFigures:
    # What is not in memory is taken to be like what is.
    times = (each.backlog + behind) / each.backlog if each.backlog else 1.0
    drain = each.drain_seconds
    return FlowFigures(
        backlog=each.backlog + behind,
        backlog_units=each.backlog_units * times,
        share=each.share,
        oldest_seconds=each.oldest_seconds,
        eta_seconds=None if drain is None else drain * times,
        reason=reason,
    )


def _with_parked(
    known: FlowFigures | None, parked: FlowQueue, behind: int, *, units: float, why: str, now: float
) -> FlowFigures:
    """Nobody can say how long a model is away, so there is no `eta_seconds`."""
    oldest = parked.oldest()
    age = max(0.0, now - oldest.message.accepted_at) if oldest else 0.0
    number = parked.count + behind
    if known is None:
        return FlowFigures(
            backlog=number,
            parked=number,
            backlog_units=units * number / parked.count,
            oldest_seconds=age,
            reason=f"Parked: {why}.",
        )
    return replace(
        known,
        backlog=known.backlog + number,
        parked=number,
        backlog_units=known.backlog_units + units,
        oldest_seconds=max(known.oldest_seconds, age),
        eta_seconds=None,
        reason=f"{known.reason} {number} of them are parked: {why}.",
    )
