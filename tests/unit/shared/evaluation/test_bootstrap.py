"""How sure a mean is."""

from __future__ import annotations

import random

import pytest

from shared.evaluation.bootstrap import Bootstrap, Estimate
from shared.evaluation.halves import CaseHalf, half_of


def test_the_same_values_give_the_same_interval() -> None:
    values = [0.0, 1.0, 0.5, 0.25] * 10

    assert Bootstrap(40).mean(values) == Bootstrap(40).mean(values)


def test_an_interval_holds_the_true_mean_about_95_times_of_100() -> None:
    dice = random.Random(1)
    bootstrap = Bootstrap(80)
    held = 0
    for _ in range(100):
        found = bootstrap.mean([float(dice.random() < 0.3) for _ in range(80)])
        held += found.low <= 0.3 <= found.high

    assert 88 <= held < 100


def test_of_two_values_the_interval_is_known() -> None:
    """Drawn again, both are the lower one in a quarter of the draws, and in a quarter the other."""
    assert Bootstrap(2).mean([0.0, 1.0]) == Estimate(0.5, 0.0, 1.0)


def test_pairs_tell_two_systems_apart_that_their_means_would_not() -> None:
    dice = random.Random(1)
    one = [dice.random() for _ in range(200)]
    other = [value - 0.01 for value in one]
    bootstrap = Bootstrap(200)

    assert bootstrap.difference(one, other).low > 0
    assert bootstrap.difference(one, one).low <= 0
    assert bootstrap.mean(one).low < bootstrap.mean(other).high


def test_what_cannot_be_drawn_from_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing"):
        Bootstrap(0)
    with pytest.raises(ValueError, match="1 values for 2 cases"):
        Bootstrap(2).mean([1.0])


def test_about_half_of_the_cases_are_held_out_and_stay_so() -> None:
    halves = [half_of(f"case {number}") for number in range(1000)]

    assert 430 < halves.count(CaseHalf.HELD_OUT) < 570
    assert halves[:10] == [half_of(f"case {number}") for number in range(10)]


def test_a_share_is_that_of_the_means_on_the_same_cases() -> None:
    dice = random.Random(2)
    theirs = [dice.random() for _ in range(300)]
    ours = [0.9 * value for value in theirs]
    bootstrap = Bootstrap(300)

    found = bootstrap.ratio(ours, theirs)

    assert found.mean == pytest.approx(0.9)
    # However much the cases differ, the share is the same on each.
    assert (found.low, found.high) == pytest.approx((0.9, 0.9), abs=1e-4)
    with pytest.raises(ZeroDivisionError):
        bootstrap.ratio(ours, [0.0] * 300)
    with pytest.raises(ValueError, match="300 and 2 values for 300 cases"):
        bootstrap.ratio(ours, [0.0, 1.0])
