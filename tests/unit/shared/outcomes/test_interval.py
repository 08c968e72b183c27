"""Intervals from sums, beside what drawing the rows anew says."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest

from shared.evaluation.bootstrap import Bootstrap
from shared.outcomes.interval import PairSums, ratio_ends, share_ends, wilson_ends

ROWS = 400


def sums_of(rows: Sequence[tuple[float, float]]) -> PairSums:
    return PairSums(
        len(rows),
        sum(top for top, _ in rows),
        sum(bottom for _, bottom in rows),
        sum(top * top for top, _ in rows),
        sum(top * bottom for top, bottom in rows),
        sum(bottom * bottom for _, bottom in rows),
    )


def costs(dice: Random) -> tuple[float, float]:
    return dice.expovariate(1.0), float(dice.random() < 0.7)


def catches(dice: Random) -> tuple[float, float]:
    turns = dice.randint(1, 6)
    return float(sum(dice.random() < 0.2 for _ in range(turns))), float(turns)


@pytest.mark.parametrize("kind", [costs, catches])
def test_ends_lie_where_rows_drawn_anew_put_them(kind: object) -> None:
    assert callable(kind)
    dice, drawn = Random(11), Bootstrap(ROWS)
    for _ in range(4):
        rows = [kind(dice) for _ in range(ROWS)]
        theirs = drawn.ratio([top for top, _ in rows], [bottom for _, bottom in rows])
        low, high = ratio_ends(sums_of(rows))
        assert low is not None
        assert high is not None
        near = (theirs.high - theirs.low) / 8
        assert (low, high) == (
            pytest.approx(theirs.low, abs=near),
            pytest.approx(theirs.high, abs=near),
        )


def test_nineteen_of_twenty_intervals_hold_the_truth() -> None:
    dice, held = Random(5), 0
    for _ in range(400):
        low, high = ratio_ends(sums_of([costs(dice) for _ in range(60)]))
        assert low is not None
        held += low <= 1.0 / 0.7 <= (high or float("inf"))
    assert 0.92 <= held / 400 <= 0.98


def test_an_end_is_missing_where_there_may_be_no_success_at_all() -> None:
    few = [(1.0, 1.0), (1.1, 1.0), *[(0.9, 0.0)] * 8]
    low, high = ratio_ends(sums_of(few))
    assert low is not None
    assert 0 < low < 9.3 / 2
    assert high is None
    assert ratio_ends(sums_of([(1.0, 1.0)])) == (None, None)
    wild = [(0.0, 0.0)] * 9 + [(1.0, 1.0)]
    assert ratio_ends(sums_of(wild)) == (0.0, None)


def test_a_share_stays_a_share_and_that_of_nothing_is_not_sure() -> None:
    low, high = share_ends(sums_of([(0.0, 1.0)] * 10))
    assert low == 0.0
    assert high == pytest.approx(0.2775, abs=0.001)  # Wilson's of 0 in 10
    assert share_ends(sums_of([(1.0, 1.0)] * 10))[1] == pytest.approx(1.0)
    assert share_ends(sums_of([(1.0, 1.0), (1.0, 1.0), (0.5, 1.0)]))[1] == 1.0
    assert wilson_ends(5, 10) == pytest.approx((0.2366, 0.7634), abs=0.001)
