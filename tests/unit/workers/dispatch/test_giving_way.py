"""Batch calls that are taken back, and what that may cost."""

from __future__ import annotations

import pytest

from shared.messages.lane import Lane
from tests.unit.workers.dispatch.test_scheduler import held
from workers.dispatch.flows.held_message import HeldMessage
from workers.dispatch.giving_way import GivingWay
from workers.dispatch.lanes.urgency import is_urgent
from workers.dispatch.lanes.waste import WasteBudget
from workers.dispatch.scheduler import Scheduler

ALL = tuple(Lane)


def _with_batch_calls(number: int) -> Scheduler:
    """Released one a second, from 0 on."""
    scheduler = Scheduler()
    for at in range(number):
        scheduler.add(held(f"b{at}", lane=Lane.BATCH, deadline=9e9), float(at))
        assert scheduler.pick(float(at), ALL) is not None
    return scheduler


def test_the_youngest_batch_call_is_taken_back_and_waits_at_the_head() -> None:
    scheduler = _with_batch_calls(40)
    scheduler.add(held("b99", lane=Lane.BATCH, accepted_at=50.0, deadline=9e9), 50.0)
    scheduler.add(held("i", lane=Lane.INTERACTIVE, accepted_at=50.0), 50.0)
    taken = GivingWay(scheduler).give_way(50.0)
    assert taken is not None
    assert taken.id == "b39"
    assert scheduler.pick(50.0, ALL) == held("i", lane=Lane.INTERACTIVE, accepted_at=50.0)
    assert scheduler.pick(50.0, ALL) is taken


def test_nothing_is_taken_back_where_only_batch_messages_wait() -> None:
    scheduler = _with_batch_calls(40)
    scheduler.add(held("b99", lane=Lane.BATCH, deadline=9e9), 50.0)
    assert GivingWay(scheduler).give_way(50.0) is None
    assert not scheduler.waste.is_spent(50.0)


def test_where_no_batch_call_runs_none_is_taken_back() -> None:
    scheduler = Scheduler()
    for name in ("s", "i"):
        scheduler.add(held(name, lane=Lane.STANDARD), 0.0)
    scheduler.pick(0.0, ALL)
    assert GivingWay(scheduler).give_way(0.0) is None


def test_past_the_waste_budget_the_ceiling_falls_until_there_is_room_again() -> None:
    scheduler = _with_batch_calls(40)
    scheduler.add(held("i", lane=Lane.INTERACTIVE), 50.0)
    giving = GivingWay(scheduler)
    taken: list[HeldMessage] = []
    while (message := giving.give_way(50.0)) is not None:
        taken.append(message)
    assert [message.id for message in taken] == ["b39"], "of 39 calls' worth, 5 % is not two"
    assert scheduler.waste.is_spent(50.0)
    assert scheduler.waste.wasted_share(50.0) == pytest.approx(1 / 39)
    assert scheduler.ceilings.of(Lane.BATCH, 50.0) == 0.7
    assert scheduler.ceilings.of(Lane.INTERACTIVE, 50.0) == 1.0
    scheduler.charge_tenant(Lane.BATCH, "a", 10_000.0, 51.0)
    assert not scheduler.waste.is_spent(51.0)
    assert scheduler.ceilings.of(Lane.BATCH, 51.0) == 0.9


def test_a_call_has_wasted_what_it_has_done_where_it_is_known_how_long_they_take() -> None:
    scheduler = _with_batch_calls(60)
    for at in range(30):
        scheduler.settle(f"b{at}", 100.0, at + 100.0)
    scheduler.add(held("i", lane=Lane.INTERACTIVE), 150.0)
    scheduler.add(held("b", lane=Lane.BATCH, deadline=9e9), 150.0)
    scheduler.pick(150.0, [Lane.BATCH])
    assert GivingWay(scheduler).give_way(151.0) is not None
    assert scheduler.waste.wasted_share(151.0) == pytest.approx(1.0 / 6_000.0)


def test_waste_older_than_an_hour_is_forgotten() -> None:
    budget = WasteBudget(share=0.1)
    budget.worked(1_000.0, 0.0)
    assert budget.spend(100.0, 0.0)
    budget.worked(1_000.0, 3_000.0)
    assert not budget.spend(101.0, 3_000.0)
    assert budget.spend(100.0, 3_700.0), "its own 1,000, and no older waste"
    assert not budget.spend(1.0, 3_700.0)


@pytest.mark.parametrize(
    ("service_p95", "wait", "urgent_from"),
    [
        (None, 0.0, 86_400.0 - 59 * 60.0),
        (None, 600.0, 86_400.0 - 69 * 60.0),
        (100.0, 0.0, 86_400.0 - 130.0),
        (100.0, 600.0, 86_400.0 - 730.0),
    ],
)
def test_a_message_is_urgent_from_what_it_needs_before_its_deadline(
    service_p95: float | None, wait: float, urgent_from: float
) -> None:
    message = held("m", lane=Lane.BATCH, deadline=86_400.0)
    assert not is_urgent(message, urgent_from - 60.0, service_p95=service_p95, wait=wait)
    assert is_urgent(message, urgent_from + 60.0, service_p95=service_p95, wait=wait)


def test_an_urgent_batch_message_is_released_as_a_standard_one() -> None:
    scheduler = Scheduler()
    message = held("m", lane=Lane.BATCH, deadline=3_600.0)
    scheduler.add(message, 0.0)
    scheduler.tick(2_900.0)
    assert scheduler.pick(2_900.0, [Lane.STANDARD]) is None
    scheduler.tick(3_010.0)
    assert scheduler.pick(3_010.0, [Lane.STANDARD]) is message
    scheduler.add(held("i", lane=Lane.INTERACTIVE, deadline=9e9), 3_010.0)
    assert GivingWay(scheduler).give_way(3_010.0) is None, "it is taken back no more"
