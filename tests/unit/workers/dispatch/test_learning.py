"""What is learned from calls that have ended."""

from __future__ import annotations

from random import Random

import pytest

from shared.messages.lane import Lane
from workers.dispatch.estimates import CostRatios, ServiceTimes
from workers.dispatch.flows.decayed import DecayedSum


def test_corrected_estimates_add_up_to_what_calls_cost_however_they_differ() -> None:
    random, ratios = Random(4), CostRatios()
    expected = real = 0.0
    for number in range(5_000):
        estimate = random.choice((10.0, 5_000.0))
        cost = estimate * (random.uniform(0.0, 6.0) if estimate < 100 else random.uniform(0, 1))
        if number >= 500:
            expected += estimate * ratios.ratio("a")
            real += cost
        ratios.learn("a", estimated=estimate, real=cost)
    assert expected / real == pytest.approx(1.0, abs=0.03)
    assert ratios.ratio("unknown") == 1.0


def test_the_first_call_of_a_tenant_does_not_decide() -> None:
    ratios = CostRatios()
    ratios.learn("a", estimated=100.0, real=100_000.0)
    assert 1.0 < ratios.ratio("a") < 200.0
    ratios.learn("b", estimated=0.0, real=5.0)
    assert ratios.ratio("b") == 1.0
    ratios.forget("a")
    assert ratios.ratio("a") == 1.0


def test_service_times_are_of_the_latest_calls_and_unknown_at_first() -> None:
    times = ServiceTimes()
    for _ in range(19):
        times.learn(Lane.BATCH, 100.0)
    assert times.quantile(Lane.BATCH, 0.95) is None
    times.learn(Lane.BATCH, 100.0)
    assert times.quantile(Lane.BATCH, 0.95) == 100.0
    assert times.quantile(Lane.STANDARD, 0.95) is None
    for seconds in range(1, 501):
        times.learn(Lane.BATCH, float(seconds))
    assert times.quantile(Lane.BATCH, 0.95) == 475.0
    assert times.quantile(Lane.BATCH, 0.5) == 250.0


def test_a_steady_rate_is_told_after_seconds_and_forgotten_in_minutes() -> None:
    recent = DecayedSum(0.0)
    recent.add(100.0)
    assert recent.per_second(0.5) == 0.0, "too soon to say"
    for second in range(1, 31):
        recent.decay(float(second))
        recent.add(100.0)
    assert recent.per_second(30.5) == pytest.approx(100.0, rel=0.05)
    assert recent.per_second(630.0) < 0.01
