"""The leader of the dispatch: the real scheduler, asked when the real leader asks it."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Final

from deploy.replay.rules.credit_rules import CreditRules
from deploy.replay.world.fleet import VirtualFleet
from deploy.replay.world.lane_figures import LaneFigures
from deploy.replay.world.rooms import RememberedRooms
from deploy.replay.world.virtual_message import VirtualMessage
from deploy.replay.world.virtual_time import VirtualTime
from deploy.replay.world.ways import Ways
from shared.messages.lane import Lane
from shared.settings import Settings
from workers.dispatch.flows.held_message import HeldMessage
from workers.dispatch.giving_way import GivingWay
from workers.dispatch.lanes.waste import WasteBudget
from workers.dispatch.leading.fleet_room import YIELDING
from workers.dispatch.leading.leader import LEASE_SECONDS
from workers.dispatch.leading.releasing import lanes_that_wait, waiting_for_slots
from workers.dispatch.leading.term import FOLD_SECONDS
from workers.dispatch.scheduler import Scheduler
from workers.dispatch.standing import flows_standing

_SECOND: Final = 1.0
_PAUSE: Final = 0.02
_AT_ONCE: Final = 500
_GIVE_WAY_AT_ONCE: Final = 8


class VirtualLeader:
    """Looks each second, and releases when something is held, when a slot may have come free, and
    no more often than the real one. It always lives."""

    def __init__(
        self,
        settings: Settings,
        weight_of: Callable[[str], float],
        credits_: CreditRules,
        fleet: VirtualFleet,
        lanes: LaneFigures,
        time: VirtualTime,
        ways: Ways,
    ) -> None:
        dispatch = settings.dispatch
        self.scheduler = Scheduler(weight_of=weight_of, waste=WasteBudget(dispatch.waste_share))
        self._is_on, self._depth = dispatch.enabled, dispatch.depth
        self._attempts = max(0, settings.ledger.attempt_limit - 2)
        self._giving_way = GivingWay(self.scheduler)
        self._credits, self._fleet, self._lanes, self._time = credits_, fleet, lanes, time
        self._jobs: dict[str, VirtualMessage] = {}
        self._deadlines: list[tuple[float, str]] = []
        self._told: frozenset[Lane] = frozenset()
        self._rooms = RememberedRooms(fleet, self.scheduler.ceilings, depth=dispatch.depth)
        self._next_round = 0.0
        self._ways = ways
        self._is_round_due = False
        self._is_in_round = False
        self._waits: dict[tuple[Lane, str], float | None] = {}
        self._waits_at = float("-inf")
        self._charges: list[VirtualMessage] = []
        self._used: dict[str, float] = {}
        self._fold_at = 0.0
        self.given_way: Callable[[VirtualMessage], None] = lambda _job: None
        """What becomes of a turn that gave way, while its message waits again."""
        self.expired: Callable[[VirtualMessage], None] = lambda _job: None
        """What becomes of a message that was never claimed."""

    def look(self) -> None:
        """Each second: what is urgent, what doors may publish."""
        now = self._time.seconds
        self._fold(now)
        self.scheduler.tick(now)
        self.scheduler.parking.reconsider(now)
        self._expire(now)
        self._tell()
        self._soon()
        self._time.at(now + _SECOND + self._ways.of_release(now), self.look)

    def hold(self, job: VirtualMessage) -> None:
        """It waits for its release; the door has said so."""
        message = job.message
        self._jobs[message.id] = job
        heappush(self._deadlines, (message.deadline, message.id))
        units = float(message.estimated_tokens)
        held = HeldMessage(
            message.id, message.lane, message.tenant, message.at, message.deadline, units
        )
        self.scheduler.add(held, self._time.seconds)
        self._time.at(self._time.seconds + self._ways.of_hold(message), self._round)

    def ended(self, job: VirtualMessage) -> None:
        """A turn is over: its slot may be another's."""
        now = self._time.seconds
        if job.held:
            self._charges.append(job)
        self._credits.give(job.message.lane, 1, now)
        self._soon()

    def charge(self, job: VirtualMessage, units: float) -> None:
        """Its turn runs, and has used so much up to here."""
        self._used[job.message.id] = units

    def wait_of(self, job: VirtualMessage) -> float | None:
        """How long its tenant's flow would take, as the board tells doors each second; None where
        nobody knows."""
        now = self._time.seconds
        if now - self._waits_at >= _SECOND:
            self._waits_at = now
            self._waits = {
                (each.lane, each.tenant): (
                    each.oldest_seconds if each.drain_seconds is None else each.drain_seconds
                )
                for each in flows_standing(self.scheduler, now)
            }
        return self._waits.get((job.message.lane, job.message.tenant), 0.0)

    def _soon(self) -> None:
        if not self._is_round_due and lanes_that_wait(self.scheduler):
            self._is_round_due = True
            self._time.at(self._next_round, self._due_round)

    def _due_round(self) -> None:
        self._is_round_due = False
        self._begin_round()

    def _begin_round(self) -> None:
        """What it sees then it acts on when the ledger has heard of it; one at a time."""
        if not self._is_in_round:
            self._is_in_round = True
            now = self._time.seconds
            self._time.at(now + self._ways.release(now), self._end_round)

    def _end_round(self) -> None:
        self._is_in_round = False
        self._round()

    def _round(self) -> None:
        """Release what there is room for, and make room for who should not wait."""
        now, fleet, scheduler = self._time.seconds, self._fleet, self.scheduler
        self._next_round = now + _PAUSE
        if now >= self._fold_at:
            self._fold(now)
        is_batch = False
        if fleet.busy < self._depth * fleet.slots:
            busy, taken = fleet.busy_by_lane, tuple[Lane, ...]()
            while len(taken) < _AT_ONCE and (lanes := self._rooms.open(taken, busy, now)):
                message = scheduler.pick(now, lanes)
                if message is None:
                    break
                taken = (*taken, message.lane)
                is_batch = is_batch or message.lane in YIELDING
                fleet.publish(self._jobs.pop(message.id))
        if fleet.runs(Lane.BATCH) and (waiting := waiting_for_slots(scheduler)):
            self._make_room(waiting, now)
            self._soon()
        if is_batch or self._told != lanes_that_wait(scheduler):
            self._tell()

    def _fold(self, now: float) -> None:
        """Hear what turns have used that ended since: until then they count as running."""
        self._fold_at = now + FOLD_SECONDS
        for message_id, units in self._used.items():
            self.scheduler.charge(message_id, units, now)
        self._used.clear()
        for job in self._charges:
            message = job.message
            if not self.scheduler.settle(message.id, job.units, now):
                self.scheduler.charge_tenant(message.lane, message.tenant, job.units, now)
        self._charges.clear()

    def _make_room(self, waiting: int, now: float) -> None:
        for _ in range(min(waiting, _GIVE_WAY_AT_ONCE)):
            message = self._giving_way.give_way(now)
            if message is None:
                return
            job = self._fleet.running.get(message.id)
            if job is None or job.claims > self._attempts:
                self.scheduler.remove(message.id)
                continue
            self._jobs[message.id] = job
            heappush(self._deadlines, (message.deadline, message.id))
            self._lanes.wait(job)
            self.given_way(job)

    def _tell(self) -> None:
        self._told = waiting = lanes_that_wait(self.scheduler)
        if not self._is_on:
            return
        now = self._time.seconds
        self._credits.set(self._rooms.for_doors(waiting, now), until=now + LEASE_SECONDS)

    def _expire(self, now: float) -> None:
        """What waited past its deadline ends."""
        while self._deadlines and self._deadlines[0][0] <= now:
            _, message_id = heappop(self._deadlines)
            job = self._jobs.pop(message_id, None)
            if job is not None:
                self.scheduler.remove(message_id)
                self._lanes.leave(job)
                self.expired(job)
