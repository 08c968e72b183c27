"""Whatever is asked in whatever order, nothing is lost, released twice or left behind."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.messages.lane import Lane
from workers.dispatch.flows.held_message import HeldMessage
from workers.dispatch.giving_way import GivingWay
from workers.dispatch.lanes.waste import WasteBudget
from workers.dispatch.scheduler import Scheduler
from workers.dispatch.standing import flows_standing

IDS = st.integers(0, 25)
DO = st.sampled_from(("add", "add", "pick", "pick", "settle", "remove", "back", "give", "tick"))
STEPS = st.lists(st.tuples(DO, IDS, st.floats(0.0, 2_000.0), st.sampled_from(Lane)), max_size=150)


class Account:
    """What waits and runs, by a second reckoning."""

    def __init__(self) -> None:
        self.scheduler = Scheduler(waste=WasteBudget(share=0.5))
        self.giving_way = GivingWay(self.scheduler)
        self.waiting: dict[str, HeldMessage] = {}
        self.running: dict[str, HeldMessage] = {}
        self.now = 0.0

    def do(self, what: str, number: int, units: float, lane: Lane) -> None:
        self.now += units / 100.0
        getattr(self, what)(f"m{number}", units, lane)

    def add(self, name: str, units: float, lane: Lane) -> None:
        known = name in self.waiting or name in self.running
        tenant = name[-1]
        message = HeldMessage(name, lane, tenant, self.now, self.now + 1e7, units)
        assert self.scheduler.add(message, self.now) is not known
        if not known:
            self.waiting[name] = message

    def pick(self, _name: str, _units: float, lane: Lane) -> None:
        lanes = [each for each in Lane if each is not lane]
        message = self.scheduler.pick(self.now, lanes)
        if message is None:
            assert not any(each.lane in lanes for each in self.waiting.values())
            return
        self.running[message.id] = self.waiting.pop(message.id)

    def settle(self, name: str, units: float, _lane: Lane) -> None:
        self.scheduler.charge(name, units / 2, self.now)
        assert self.scheduler.settle(name, units, self.now) is (name in self.running)
        self.running.pop(name, None)

    def remove(self, name: str, *_: object) -> None:
        assert self.scheduler.remove(name) is (self.waiting.pop(name, None) is not None)

    def back(self, name: str, *_: object) -> None:
        assert self.scheduler.take_back(name, self.now) is (name in self.running)
        if name in self.running:
            self.waiting[name] = self.running.pop(name)

    def give(self, *_: object) -> None:
        message = self.giving_way.give_way(self.now)
        if message is not None:
            assert message.lane is Lane.BATCH
            self.waiting[message.id] = self.running.pop(message.id)

    def tick(self, *_: object) -> None:
        self.scheduler.tick(self.now)

    def check(self) -> None:
        lanes = self.scheduler.lanes.values()
        flows = [flow for lane in lanes for flow in lane]
        assert sum(flow.count for flow in flows) == len(self.waiting)
        assert sum(flow.running for flow in flows) == len(self.running)
        assert sum(len(lane.waiting) for lane in lanes) == sum(flow.count > 0 for flow in flows)
        waiting = sum(each.units for each in self.waiting.values())
        assert sum(flow.units for flow in flows) == pytest.approx(waiting, abs=1e-6)


@given(STEPS)
def test_nothing_is_lost_or_released_twice(steps: list[tuple[str, int, float, Lane]]) -> None:
    account = Account()
    for step in steps:
        account.do(*step)
        account.check()
    told = flows_standing(account.scheduler, account.now)
    assert sum(flow.backlog for flow in told) == len(account.waiting)
    assert all(0.0 <= flow.position_units <= flow.drain_units + 1e-6 for flow in told)
    for _ in range(len(account.waiting)):
        assert account.scheduler.pick(account.now, tuple(Lane)) is not None
    assert account.scheduler.pick(account.now, tuple(Lane)) is None
