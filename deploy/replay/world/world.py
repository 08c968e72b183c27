"""A day run again: everything put together, once for each run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Final

from deploy.replay.day.recorded_day import RecordedDay
from deploy.replay.rules.answer_store import AnswerStore
from deploy.replay.rules.credit_rules import CreditRules
from deploy.replay.world.calls import Calls
from deploy.replay.world.chain import VirtualChain
from deploy.replay.world.door import VirtualDoor
from deploy.replay.world.fleet import VirtualFleet
from deploy.replay.world.lane_figures import LaneFigures
from deploy.replay.world.leader import VirtualLeader
from deploy.replay.world.renewals import Renewals
from deploy.replay.world.sources import Sources
from deploy.replay.world.turns import Turns
from deploy.replay.world.virtual_message import VirtualMessage
from deploy.replay.world.virtual_time import VirtualTime
from deploy.replay.world.ways import Ways
from shared.messages.state import ResponseState
from shared.settings import Settings
from shared.settings.turn.caching import CachingSettings

_BEFORE: Final = 1.0
"""Seconds before the day, for what is looked at each second."""
_TOLD_EVERY: Final = 1_000
"""Messages."""


@dataclass(slots=True)
class Rerun:
    """What became of each message, in the day's order, and of the fleet."""

    jobs: list[VirtualMessage]
    slots: int
    busy_share: float = 0.0
    borrowed: dict[str, int] = field(default_factory=dict)
    """Calls of models that the day does not know, by provider and model."""
    full_at: float | None = None
    """When every slot was taken first."""
    opened: dict[str, float] = field(default_factory=dict)
    """When each breaker opened first."""


class VirtualWorld:
    """Runs one day through settings. The same day, settings and seed give the same run."""

    def __init__(self, day: RecordedDay, settings: Settings, *, slots: int, seed: int = 0) -> None:
        self._random = random = Random(seed)
        self._day = day
        self._time = time = VirtualTime(day.began - _BEFORE)
        self._lanes = LaneFigures(time)
        self._credits = CreditRules()
        caching = settings.caching
        store = _store(caching)
        self._calls = Calls(day, settings, random)
        self._chain = VirtualChain(settings, self._calls, time, random)
        sources = Sources(day, store, caching.semantic, random)
        self._turns = Turns(
            caching, store, sources, self._chain, self._calls, time, ended=self._turn_over
        )
        ways = Ways(day, random)
        in_turns = settings.broker.is_redis
        self._fleet = VirtualFleet(
            slots, self._lanes, time, ways=ways, in_turns=in_turns, begin=self._begin
        )
        self._leader = VirtualLeader(
            settings, self._weight, self._credits, self._fleet, self._lanes, time, ways
        )
        seconds, charge = settings.ledger.lease_seconds, self._leader.charge
        self._renewals = Renewals(self._fleet, time, random, lease_seconds=seconds, charge=charge)
        self._leader.given_way = self._given_way
        self._leader.expired = self._expired
        self._leader.scheduler.parking.lets = lambda held: self._chain.lets(
            held.id, self._asked.get(held.id, "")
        )
        self._asked: dict[str, str] = {}
        self._open = 0
        self._door = VirtualDoor(
            settings, day, self._credits, self._lanes, time, wait_of=self._leader.wait_of
        )

    def run(self, tell: Callable[[int], None] | None = None) -> Rerun:
        """All of the day, and what it left. `tell` hears of each thousand messages that came."""
        for look in (self._leader.look, self._door.look, self._renewals.look):
            # Where in its second somebody looks nobody knows, nor that it is the day's first.
            self._time.at(self._day.began - self._random.random(), look)
        rerun = Rerun([], self._fleet.slots)
        arrivals = self._arrivals(rerun, tell)
        self._time.run(arrivals, self._arrive, is_over=lambda: not self._open)
        slot_seconds = self._fleet.slots * max(self._day.ended - self._day.began, 1e-9)
        rerun.busy_share = min(1.0, self._fleet.busy_seconds / slot_seconds)
        rerun.borrowed = {
            f"{name}/{model}": number for (name, model), number in self._calls.borrowed.items()
        }
        rerun.full_at = self._fleet.full_at
        rerun.opened = dict(self._chain.opened)
        return rerun

    def _arrivals(
        self, rerun: Rerun, tell: Callable[[int], None] | None
    ) -> Iterator[tuple[float, VirtualMessage]]:
        for number, message in enumerate(self._day.messages):
            if tell is not None and number % _TOLD_EVERY == 0:
                tell(number)
            job = VirtualMessage(message)
            rerun.jobs.append(job)
            yield message.at, job

    def _arrive(self, job: VirtualMessage) -> None:
        if not self._door.lets_in(job):
            return
        self._open += 1
        self._lanes.wait(job)
        if job.held:
            self._asked[job.message.id] = job.message.asked
            self._leader.hold(job)
        else:
            self._fleet.publish(job)

    def _begin(self, job: VirtualMessage) -> None:
        job.waited = self._time.seconds - job.message.at
        self._turns.begin(job)

    def _given_way(self, job: VirtualMessage) -> None:
        self._turns.give_way(job)
        heard = self._fleet.give_up(job)
        self._time.at(self._time.seconds + heard, self._renewals.renew)

    def _expired(self, job: VirtualMessage) -> None:
        job.state = ResponseState.FAILED
        self._settle(job)

    def _turn_over(self, job: VirtualMessage) -> None:
        self._lanes.end(job)
        self._settle(job)
        self._leader.ended(job)
        self._fleet.free(job)

    def _settle(self, job: VirtualMessage) -> None:
        self._open -= 1
        self._asked.pop(job.message.id, None)
        self._chain.forget(job.message.id)
        self._door.settle(job)

    def _weight(self, tenant: str) -> float:
        plan = self._day.plans.get(tenant)
        return 1.0 if plan is None else plan.weight


def _store(caching: CachingSettings) -> AnswerStore:
    return AnswerStore(
        ttl=caching.ttl_seconds,
        entries_per_tenant=caching.entries_per_tenant,
        lease=caching.flight_lease_seconds,
    )


def run_day(
    day: RecordedDay,
    settings: Settings,
    *,
    slots: int,
    seed: int = 0,
    tell: Callable[[int], None] | None = None,
) -> Rerun:
    """One run of the day; `tell` hears of each thousand messages that came."""
    return VirtualWorld(day, settings, slots=slots, seed=seed).run(tell)
