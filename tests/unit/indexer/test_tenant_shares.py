"""Turns of tenants are fair in what they cost, and are not without each of the guards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest

from indexer.documents.tenant_shares import TenantShares
from shared.dispatch.virtual_counter import VirtualCounter

Promise = Callable[[type[TenantShares]], None]
FLOOD: Final = "ten_flood"
LONE: Final = "ten_lone"


class FirstCome(TenantShares):
    """Who waits longest is next, whatever was done for him."""

    def __init__(self) -> None:
        super().__init__()
        self._since: list[str] = []

    def order(self) -> list[str]:
        waiting = super().order()
        self._since = [each for each in self._since if each in waiting]
        self._since += [each for each in waiting if each not in self._since]
        return self._since


class NotSettled(TenantShares):
    def settle(self, tenant: str, *, expected: float, units: float) -> None:
        super().settle(tenant, expected=expected, units=expected)


class NotLifted(TenantShares):
    def begin(self, tenant: str, units: float) -> None:
        super().begin(tenant, units)
        self._virtual_time = 0.0


class WeightsIgnored(TenantShares):
    def look(self, waiting: dict[str, float]) -> None:  # type: ignore[override]
        super().look(dict.fromkeys(waiting, 1.0))


def run(
    shares: TenantShares,
    waiting: dict[str, float],
    costs: dict[str, float],
    *,
    units: float,
    expected: float = 10.0,
) -> dict[str, float]:
    """What each had when so much was done, one turn after the other."""
    had = dict.fromkeys(waiting, 0.0)
    while sum(had.values()) < units:
        shares.look(waiting)
        first = shares.order()[0]
        shares.begin(first, expected)
        shares.settle(first, expected=expected, units=costs[first])
        had[first] += costs[first]
    return had


def a_lone_document_waits_for_one_turn(kind: type[TenantShares]) -> None:
    shares = kind()
    run(shares, {FLOOD: 1.0}, {FLOOD: 100.0}, units=5_000)
    shares.look({FLOOD: 1.0, LONE: 1.0})
    assert shares.order()[0] == LONE


def cost_is_shared_not_turns(kind: type[TenantShares]) -> None:
    both = {FLOOD: 1.0, LONE: 1.0}
    had = run(kind(), both, {FLOOD: 100.0, LONE: 10.0}, units=20_000)
    assert had[LONE] / 20_000 == pytest.approx(0.5, abs=0.02)


def a_tenant_of_weight_three_has_three_parts_of_four(kind: type[TenantShares]) -> None:
    had = run(kind(), {FLOOD: 1.0, LONE: 3.0}, {FLOOD: 10.0, LONE: 10.0}, units=20_000)
    assert had[LONE] / 20_000 == pytest.approx(0.75, abs=0.02)


def absence_saves_nothing(kind: type[TenantShares]) -> None:
    shares, costs = kind(), {FLOOD: 10.0, LONE: 10.0}
    both = {FLOOD: 1.0, LONE: 1.0}
    run(shares, both, costs, units=100)
    run(shares, {FLOOD: 1.0}, costs, units=5_000)
    had = run(shares, both, costs, units=1_000)
    assert had[FLOOD] == pytest.approx(500, abs=20)


GUARDS: Final[list[tuple[Promise, type[TenantShares]]]] = [
    (a_lone_document_waits_for_one_turn, FirstCome),
    (cost_is_shared_not_turns, NotSettled),
    (a_tenant_of_weight_three_has_three_parts_of_four, WeightsIgnored),
    (absence_saves_nothing, NotLifted),
]


@pytest.mark.parametrize("promise", [promise for promise, _ in GUARDS])
def test_the_promise_is_kept(promise: Promise) -> None:
    promise(TenantShares)


@pytest.mark.parametrize(("promise", "unguarded"), GUARDS)
def test_the_promise_is_broken_without_its_guard(
    promise: Promise, unguarded: type[TenantShares]
) -> None:
    with pytest.raises(AssertionError):
        promise(unguarded)


def test_a_turn_under_way_counts_before_it_is_settled() -> None:
    shares, both = TenantShares(), {FLOOD: 1.0, LONE: 1.0}
    turns = []
    for _ in range(4):
        shares.look(both)
        turns.append(shares.order()[0])
        shares.begin(turns[-1], 10.0)
    assert turns.count(FLOOD) == turns.count(LONE) == 2


def test_who_had_too_much_owes_it_though_nothing_of_his_waits_for_a_moment() -> None:
    shares = TenantShares()
    shares.look({FLOOD: 1.0, LONE: 1.0})
    shares.begin(FLOOD, 1.0)
    shares.settle(FLOOD, expected=1.0, units=100.0)
    shares.look({LONE: 1.0})
    shares.look({FLOOD: 1.0, LONE: 1.0})
    for _ in range(9):
        assert shares.order()[0] == LONE
        shares.begin(LONE, 10.0)
        shares.settle(LONE, expected=10.0, units=10.0)


def test_where_nothing_waits_everything_is_forgotten() -> None:
    shares = TenantShares()
    run(shares, {FLOOD: 1.0}, {FLOOD: 10.0}, units=100)
    shares.look({})
    assert vars(shares)["_shares"] == {}


def test_a_refund_saves_up_no_more_than_one_turn() -> None:
    counter = VirtualCounter(weight=2.0, v=100.0)
    counter.release(10.0)
    counter.charge(-1_000.0, virtual_time=100.0)
    assert counter.v == 100.0 - 10.0 / 2.0
