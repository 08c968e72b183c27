"""What the scheduler promises its caller, call by call."""

from __future__ import annotations

import pytest

from shared.messages.lane import Lane
from tests.benchmarks.dispatch.fleet import open_lanes
from workers.dispatch.flows.held_message import HeldMessage
from workers.dispatch.scheduler import Scheduler
from workers.dispatch.standing import flows_standing

ALL = tuple(Lane)


def held(
    name: str,
    tenant: str = "a",
    *,
    lane: Lane = Lane.STANDARD,
    accepted_at: float = 0.0,
    deadline: float = 600.0,
    units: float = 100.0,
) -> HeldMessage:
    return HeldMessage(name, lane, tenant, accepted_at, deadline, units)


def counter(scheduler: Scheduler, tenant: str, lane: Lane = Lane.STANDARD) -> float:
    return scheduler.lanes[lane].flow(tenant, 0.0).v


def test_a_message_is_released_once() -> None:
    scheduler = Scheduler()
    assert scheduler.add(held("m"), 0.0)
    assert not scheduler.add(held("m"), 0.0)
    assert scheduler.pick(0.0, ALL) == held("m")
    assert not scheduler.add(held("m"), 0.0)
    assert scheduler.pick(0.0, ALL) is None


def test_a_message_that_was_removed_is_not_released() -> None:
    scheduler = Scheduler()
    for name in ("m", "n"):
        scheduler.add(held(name), 0.0)
    assert scheduler.remove("m")
    assert not scheduler.remove("m")
    assert scheduler.pick(0.0, ALL) == held("n")
    assert not scheduler.remove("n"), "it runs"
    assert scheduler.pick(0.0, ALL) is None


def test_a_message_whose_deadline_has_passed_is_not_released() -> None:
    scheduler = Scheduler()
    scheduler.add(held("late", deadline=5.0), 0.0)
    scheduler.add(held("in time"), 0.0)
    assert scheduler.pick(5.0, ALL) == held("in time")
    assert "late" not in scheduler


def test_a_lane_that_may_not_start_is_left_out() -> None:
    scheduler = Scheduler()
    scheduler.add(held("m", lane=Lane.BATCH), 0.0)
    lanes_of = open_lanes(scheduler.ceilings)
    assert lanes_of(89, 100, 0.0) == list(ALL)
    assert lanes_of(90, 100, 0.0) == [Lane.INTERACTIVE, Lane.STANDARD]
    assert scheduler.pick(0.0, lanes_of(90, 100, 0.0)) is None
    assert lanes_of(100, 100, 0.0) == []


def test_the_estimate_is_charged_at_release_and_corrected_to_the_real_cost() -> None:
    scheduler = Scheduler(weight_of=lambda _tenant: 2.0)
    scheduler.add(held("m", units=100.0), 0.0)
    scheduler.pick(0.0, ALL)
    assert counter(scheduler, "a") == 50.0
    scheduler.charge("m", 80.0, 1.0)
    assert counter(scheduler, "a") == 50.0, "not yet above the estimate"
    scheduler.charge("m", 300.0, 2.0)
    assert counter(scheduler, "a") == 150.0
    assert scheduler.settle("m", 500.0, 3.0)
    assert counter(scheduler, "a") == 250.0
    assert not scheduler.settle("m", 500.0, 3.0)
    assert counter(scheduler, "a") == 250.0


def test_a_refund_ends_one_largest_call_below_the_lane() -> None:
    scheduler = Scheduler()
    for name in range(10):
        scheduler.add(held(f"a{name}", "a", units=1_000.0), 0.0)
        scheduler.pick(0.0, ALL)
    scheduler.add(held("b", "b", units=5.0), 0.0)
    scheduler.pick(0.0, ALL)
    lane = scheduler.lanes[Lane.STANDARD].virtual_time
    for name in range(10):
        scheduler.settle(f"a{name}", 1.0, 1.0)
    assert counter(scheduler, "a") == lane - 1_000.0


def test_what_was_taken_back_has_cost_nothing_and_is_next() -> None:
    scheduler = Scheduler()
    for name in ("m", "n"):
        scheduler.add(held(name), 0.0)
    assert scheduler.pick(0.0, ALL) == held("m")
    assert scheduler.take_back("m", 1.0)
    assert counter(scheduler, "a") == 0.0
    assert not scheduler.take_back("m", 1.0), "it waits"
    assert scheduler.pick(1.0, ALL) == held("m")


def test_what_an_earlier_leader_has_charged_counts() -> None:
    scheduler = Scheduler()
    scheduler.lanes[Lane.STANDARD].restore(1_000.0, {"a": 5_000.0, "b": 1_200.0}, 0.0)
    scheduler.charge_tenant(Lane.STANDARD, "b", 500.0, 0.0)
    for name in ("a", "b", "newcomer"):
        scheduler.add(held(name, name), 0.0)
    picked = [scheduler.pick(0.0, ALL) for _ in range(3)]
    assert [each and each.tenant for each in picked] == ["newcomer", "b", "a"]


def test_a_tenant_that_is_gone_is_forgotten_once_it_would_be_a_newcomer() -> None:
    scheduler = Scheduler()
    for name in ("a", "b", "b2"):
        scheduler.add(held(name, name[0]), 0.0)
    for _ in range(3):
        scheduler.pick(0.0, ALL)
    for name in ("a", "b", "b2"):
        scheduler.settle(name, 100.0, 0.0)
    scheduler.tick(1.0)
    assert {flow.tenant for flow in scheduler.lanes[Lane.STANDARD]} == {"b"}, "b has had more"


def test_the_figures_say_what_lies_before_a_flow() -> None:
    scheduler = Scheduler(weight_of={"a": 1.0, "b": 2.0}.__getitem__)
    for name in range(4):
        scheduler.add(held(f"a{name}", "a", accepted_at=float(name)), 10.0)
    for name in range(4):
        scheduler.add(held(f"b{name}", "b", accepted_at=5.0 + name), 10.0)
    assert scheduler.pick(10.0, ALL) == held("a0", "a")
    scheduler.tick(11.0)
    b, a = flows_standing(scheduler, 20.0)
    assert (b.tenant, b.backlog, b.running, b.oldest_seconds) == ("b", 4, 0, 15.0)
    assert (b.position_units, b.drain_units) == (0.0, 500.0), "a gets 100 while b gets 400"
    assert (a.tenant, a.backlog, a.running, a.oldest_seconds) == ("a", 3, 1, 19.0)
    assert (a.position_units, a.drain_units) == (200.0, 700.0)
    assert a.share == pytest.approx(1.0)
    assert a.drain_seconds is not None
    assert a.next_seconds is not None
    assert a.drain_seconds == pytest.approx(a.next_seconds * 3.5)
