"""What open breakers say of the models."""

from __future__ import annotations

from functools import partial

from shared.breakers.reading import BreakerReading, BreakerState
from shared.clock import ManualClock
from shared.status.models_there import breaker_findings
from shared.status.system_state import SystemState, degraded, down, status_of

NAMES = ("primary/large", "secondary/small")
OPEN = BreakerReading(state=BreakerState.OPEN, seconds_left=12.4)
LATER = BreakerReading(state=BreakerState.OPEN, seconds_left=30.0)
CLOSED = BreakerReading(state=BreakerState.CLOSED)
HALF_OPEN = BreakerReading(state=BreakerState.HALF_OPEN)

all_findings = partial(breaker_findings, has_others=True)


def test_all_open_is_one_finding_that_says_who_answers_and_when_one_is_tried() -> None:
    (found,) = all_findings(NAMES, dict(zip(NAMES, (LATER, OPEN), strict=True)))
    assert (found.part, found.state) == ("models", SystemState.DEGRADED)
    assert "no retries are spent" in found.sentence
    assert "12 s" in found.sentence


def test_without_rules_and_people_nobody_answers_while_all_are_open() -> None:
    (found,) = breaker_findings(NAMES, dict.fromkeys(NAMES, OPEN), has_others=False)
    assert "nobody answers" in found.sentence
    assert "rules" not in found.sentence


def test_one_open_of_two_is_named() -> None:
    (found,) = all_findings(NAMES, {"primary/large": OPEN, "secondary/small": HALF_OPEN})
    assert found.part == "model primary/large"


def test_closed_unknown_and_half_open_ones_are_no_finding_and_strangers_neither() -> None:
    assert not [*all_findings(NAMES, {"primary/large": CLOSED, "gone/model": OPEN})]
    assert not [*all_findings(NAMES, {"primary/large": HALF_OPEN})]


def test_without_a_model_in_the_chain_there_is_none_to_be_away() -> None:
    assert not [*all_findings((), {"gone/model": OPEN})]


def test_a_system_is_as_bad_as_its_worst_finding_which_comes_first() -> None:
    at = ManualClock().now()
    assert status_of([], at).is_healthy
    found = status_of([degraded("redis", "slow"), down("workers", "none")], at)
    assert (found.state, found.findings[0].part) == (SystemState.DOWN, "workers")
