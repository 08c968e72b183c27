"""When a breaker opens, when it lets probes through, and when it closes."""

from __future__ import annotations

import pytest

from shared.breakers.reading import BreakerState, CallOutcome
from shared.breakers.rules import BreakerRules
from shared.clock import ManualClock
from shared.settings.resilience import BreakerSettings


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def rules(clock: ManualClock) -> BreakerRules:
    return BreakerRules(BreakerSettings(probes=2), clock)


def opened(rules: BreakerRules) -> BreakerRules:
    rules.report("fffff", ())
    return rules


@pytest.mark.parametrize(
    ("outcomes", "state"),
    [
        ("ffff", BreakerState.CLOSED),
        ("fffff", BreakerState.OPEN),
        ("ffffsffff", BreakerState.CLOSED),
        ("sfsfsfsfsf", BreakerState.OPEN),
        ("ssfsfsfsfsf", BreakerState.CLOSED),
        ("sssssssssssssssfffff", BreakerState.OPEN),
        ("s" * 100 + "ffff" * 4, BreakerState.OPEN),
        ("", BreakerState.CLOSED),
    ],
)
def test_it_opens_at_half_of_ten_calls_or_five_in_a_row(
    rules: BreakerRules, outcomes: str, state: BreakerState
) -> None:
    assert rules.report(outcomes, ()).state is state


def test_calls_leave_the_window_after_thirty_seconds(
    rules: BreakerRules, clock: ManualClock
) -> None:
    rules.report("fsfsfsfsf", ())
    clock.advance(30.1)

    reading = rules.report("sf", ())

    assert (reading.state, reading.calls, reading.failures) == (BreakerState.CLOSED, 2, 1)


def test_the_window_slides_rather_than_begins_anew(rules: BreakerRules, clock: ManualClock) -> None:
    rules.report("sfsfsfs", ())
    clock.advance(20)

    assert rules.report("sff", ()).state is BreakerState.OPEN


def test_an_open_one_waits_thirty_seconds_and_counts_nothing(
    rules: BreakerRules, clock: ManualClock
) -> None:
    opened(rules)
    clock.advance(29)
    late = rules.report("fffffsssss", ())
    assert (late.state, late.seconds_left) == (BreakerState.OPEN, pytest.approx(1))
    assert not rules.begin_probe("a").granted

    clock.advance(1)
    reading = rules.report("", ())
    assert (reading.state, reading.free_probes) == (BreakerState.HALF_OPEN, 2)


def test_half_open_grants_no_more_probes_than_it_leases(
    rules: BreakerRules, clock: ManualClock
) -> None:
    opened(rules)
    clock.advance(30)

    assert [rules.begin_probe(permit).granted for permit in "abcd"] == [True, True, False, False]


def test_a_probe_that_ends_makes_room_for_another(rules: BreakerRules, clock: ManualClock) -> None:
    opened(rules)
    clock.advance(30)
    rules.begin_probe("a")
    rules.begin_probe("b")

    assert rules.end_probe("a", CallOutcome.NEUTRAL).free_probes == 1
    assert rules.begin_probe("c").granted


def test_one_failed_probe_opens_it_again(rules: BreakerRules, clock: ManualClock) -> None:
    opened(rules)
    clock.advance(30)
    rules.begin_probe("a")
    rules.begin_probe("b")

    again = rules.end_probe("a", CallOutcome.FAILURE)

    assert (again.state, again.seconds_left) == (BreakerState.OPEN, pytest.approx(30))
    assert rules.end_probe("b", CallOutcome.SUCCESS).state is BreakerState.OPEN


def test_two_successes_close_it_and_its_past_is_forgotten(
    rules: BreakerRules, clock: ManualClock
) -> None:
    opened(rules)
    clock.advance(30)
    rules.begin_probe("a")
    assert rules.end_probe("a", CallOutcome.SUCCESS).state is BreakerState.HALF_OPEN
    rules.begin_probe("b")
    assert rules.end_probe("b", CallOutcome.SUCCESS).state is BreakerState.CLOSED

    assert rules.report("ffff", ()).state is BreakerState.CLOSED


def test_the_place_of_a_probe_whose_worker_is_silent_is_given_away(
    rules: BreakerRules, clock: ManualClock
) -> None:
    opened(rules)
    clock.advance(30)
    rules.begin_probe("dead")
    rules.begin_probe("alive")
    clock.advance(6)
    rules.report("", ("alive",))
    clock.advance(6)

    assert [rules.begin_probe(permit).granted for permit in "cd"] == [True, False]
    assert rules.end_probe("dead", CallOutcome.FAILURE).state is BreakerState.HALF_OPEN


def test_a_change_is_told_once(rules: BreakerRules, clock: ManualClock) -> None:
    assert rules.report("fffff", ()).changed
    assert not rules.report("", ()).changed
    clock.advance(30)
    assert rules.begin_probe("a").changed
