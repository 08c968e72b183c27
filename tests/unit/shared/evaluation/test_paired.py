"""Two runs on the same cases: intervals by conversation, and gates that are sure before failing."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from shared.evaluation.bootstrap import Estimate
from shared.evaluation.kept_run import Figure
from shared.evaluation.paired.case_figures import CaseFigures
from shared.evaluation.paired.clusters import Clusters, ratio_of, widened
from shared.evaluation.paired.difference import difference
from shared.evaluation.paired.gate import GateVerdict, at_least, no_worse
from shared.evaluation.paired.scoring import scores_of

TASKS = Figure.TASK_COMPLETION


def cases(
    successes: Sequence[float], *, of_one: int = 1, cost: float = 0.001
) -> dict[str, CaseFigures]:
    """Cases with these successes, so many of one conversation."""
    return {
        f"{place:04}": CaseFigures(
            case_id=f"{place:04}",
            conversation=str(place // of_one),
            weight=1.0,
            success=success,
            hallucinated=1 - success,
            cost=cost,
        )
        for place, success in enumerate(successes)
    }


def test_of_two_conversations_the_interval_is_known() -> None:
    """Drawn again, both are the lower one in a quarter of the draws, and in a quarter the other."""
    assert ratio_of([0, 1], [1, 1], Clusters(["a", "b"])) == Estimate(0.5, 0.0, 1.0)
    assert ratio_of([0, 1], [0, 0], Clusters(["a", "b"])) is None


def test_cases_of_one_conversation_are_no_independent_ones() -> None:
    dice = random.Random(1)
    shared = [said for said in (float(dice.random() < 0.5) for _ in range(20)) for _ in range(10)]
    apart = scores_of(cases(shared))[TASKS]
    together = scores_of(cases(shared, of_one=10))[TASKS]
    assert together.mean == apart.mean
    # Ten of one say as much as one: the interval is as wide as the root of ten says.
    assert 2 < (together.high - together.low) / (apart.high - apart.low) < 4.5


def test_an_interval_by_conversation_holds_the_true_share_about_95_times_of_100() -> None:
    dice, held = random.Random(2), 0
    for _ in range(100):
        said = [float(dice.random() < 0.7) for _ in range(60) for _ in range(3)]
        found = scores_of(cases(said, of_one=3))[TASKS]
        held += found.low <= 0.7 <= found.high
    assert 88 <= held < 100


def test_weights_and_costs_are_told_as_sums() -> None:
    told = cases([1, 0, 1, 1])
    told["0000"] = CaseFigures(case_id="0000", conversation="0", weight=3, success=0, cost=0.002)
    scores = scores_of(told)
    assert scores[TASKS].mean == pytest.approx(2 / 6)
    # All that was spent, on failures too, for each success.
    assert scores[Figure.COST_PER_SUCCESS].mean == pytest.approx((3 * 0.002 + 3 * 0.001) / 2)
    assert Figure.SATISFACTION not in scores
    assert Figure.COST_PER_SUCCESS not in scores_of(cases([0, 0]))


def test_what_never_failed_may_still_fail() -> None:
    """The rule of three: none of 30 seen says fewer than one in ten."""
    assert widened(Estimate(1.0, 1.0, 1.0), 30) == Estimate(1.0, 0.9, 1.0)
    assert scores_of(cases([1] * 30))[TASKS] == Estimate(1.0, 0.9, 1.0)
    assert scores_of(cases([1] * 30))[Figure.HALLUCINATION] == Estimate(0.0, 0.0, 0.1)


def test_chance_is_that_of_a_coin_for_each_conversation() -> None:
    """Five that all got worse: of 32 ways to swap them one is as bad."""
    found = difference(TASKS, cases([1] * 5), cases([0] * 5))
    assert found is not None
    assert found.gain.mean == -1
    assert found.chance == pytest.approx(1 / 32, abs=0.01)
    same = difference(TASKS, cases([1, 0, 1]), cases([1, 0, 1]))
    assert same is not None
    assert (same.gain, same.chance) == (Estimate(0.0, -1.0, 1.0), 1.0)


def test_only_cases_of_both_are_compared() -> None:
    before = cases([1, 1, 0, 0])
    after = {case: each for case, each in cases([1, 1, 1, 1, 1]).items() if case != "0000"}
    found = difference(TASKS, before, after)
    assert found is not None
    assert (found.cases, found.unpaired) == (3, 2)
    assert (found.before, found.after) == pytest.approx((1 / 3, 1.0))
    assert difference(Figure.SATISFACTION, before, after) is None


def test_less_is_better_of_hallucinations_and_of_costs() -> None:
    better, worse = cases([1] * 40, cost=0.001), cases([0, 1] * 20, cost=0.001)
    lies = difference(Figure.HALLUCINATION, worse, better)
    spent = difference(Figure.COST_PER_SUCCESS, worse, better)
    assert lies is not None
    assert spent is not None
    assert lies.gain.mean == pytest.approx(0.5)
    assert spent.gain.mean == pytest.approx(0.5)
    assert difference(Figure.COST_PER_SUCCESS, cases([0] * 4), better) is None


def test_a_gate_passes_fails_or_says_how_many_more_would_decide() -> None:
    good, same, bad = cases([1] * 60), cases([1] * 60), cases([0, 1] * 30)
    assert no_worse(TASKS, good, same, margin=0.05).verdict is GateVerdict.PASS
    assert no_worse(TASKS, good, bad, margin=0.05).verdict is GateVerdict.FAIL
    few = no_worse(TASKS, cases([1] * 20), cases([1] * 20), margin=0.05)
    assert (few.verdict, few.more_cases) == (GateVerdict.INCONCLUSIVE, 40)
    one_worse = no_worse(TASKS, cases([1] * 20), cases([0] + [1] * 19), margin=0.1)
    assert one_worse.verdict is GateVerdict.INCONCLUSIVE
    assert one_worse.more_cases is not None
    on_it = no_worse(TASKS, cases([1] * 20), cases([0, 0] + [1] * 18), margin=0.1)
    assert on_it.more_cases is None or on_it.more_cases > 10_000


def test_a_bound_is_kept_missed_or_not_told() -> None:
    assert at_least(TASKS, cases([1] * 60), bound=0.9).verdict is GateVerdict.PASS
    assert at_least(TASKS, cases([0, 1] * 30), bound=0.9).verdict is GateVerdict.FAIL
    assert at_least(TASKS, cases([1] * 12), bound=0.9).verdict is GateVerdict.INCONCLUSIVE
    lies = at_least(Figure.HALLUCINATION, cases([0, 1] * 30), bound=0.05)
    assert lies.verdict is GateVerdict.FAIL
    assert "at most 0.05" in lies.why
    assert at_least(Figure.SATISFACTION, cases([1]), bound=0.5).verdict is GateVerdict.INCONCLUSIVE
