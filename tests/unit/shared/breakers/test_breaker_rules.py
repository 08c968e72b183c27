"""Which calls a breaker still counts; what every keeper promises is in the suite of keepers."""

from __future__ import annotations

import pytest

from shared.breakers.reading import BreakerState
from shared.breakers.rules import BreakerRules
from shared.clock import ManualClock
from shared.settings.resilience import BreakerSettings


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def rules(clock: ManualClock) -> BreakerRules:
    return BreakerRules(BreakerSettings(probes=2), clock)


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
