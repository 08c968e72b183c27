"""What lists are worth, how sure that is, and what changed since the last run."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shared.errors import InvalidRequest
from shared.evaluation.intervals import Interval, interval_of, paired_difference
from shared.evaluation.ranking_metrics import RankingMetric, measured
from shared.evaluation.runs import EvaluationRun, Figure, RunStore, changes

NOW = datetime(2026, 11, 29, tzinfo=UTC)


@pytest.mark.parametrize(
    ("gains", "ideal", "metric", "value"),
    [
        ([1], [1], RankingMetric.NDCG_10, 1.0),
        ([0, 1], [1], RankingMetric.NDCG_10, 0.6309),
        ([0, 2, 1], [2, 1], RankingMetric.NDCG_10, 0.6697),
        ([0] * 10 + [1], [1], RankingMetric.NDCG_10, 0.0),
        ([], [], RankingMetric.NDCG_10, 0.0),
        ([0, 0, 1, 1], [1, 1], RankingMetric.MRR_10, 1 / 3),
        ([0] * 10 + [1], [1], RankingMetric.MRR_10, 0.0),
        ([1, 0, 1], [1, 1, 1, 1], RankingMetric.RECALL_10, 0.5),
        ([0] * 10 + [1], [1], RankingMetric.RECALL_100, 1.0),
    ],
)
def test_a_list_is_worth_what_its_places_are(
    gains: list[float], ideal: list[float], metric: RankingMetric, value: float
) -> None:
    assert measured(gains, ideal, metric) == pytest.approx(value, abs=1e-4)


def test_an_interval_holds_the_true_mean_about_95_times_of_100() -> None:
    chance = random.Random(1)
    held = 0
    for _ in range(60):
        found = interval_of([float(chance.random() < 0.3) for _ in range(80)])
        held += found.low <= 0.3 <= found.high

    assert held >= 52


def test_the_same_questions_tell_two_ways_apart_that_others_would_not() -> None:
    chance = random.Random(1)
    one = [chance.random() for _ in range(200)]
    other = [value - 0.01 for value in one]

    assert paired_difference(one, other).is_above_zero
    assert interval_of(one).low < interval_of(other).high


def test_no_question_gives_no_figure() -> None:
    with pytest.raises(ValueError, match="no question"):
        interval_of([])


def run(value: float, *, later: int = 0, what: str = "fused") -> EvaluationRun:
    figure = Figure("man", what, "nDCG@10", Interval(value, value - 0.01, value + 0.01), 9)
    return EvaluationRun("search", NOW + timedelta(seconds=later), {"encoder": "e"}, (figure,))


def test_a_run_is_held_against_the_last_one_of_its_name(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "runs")
    assert store.last("search") is None
    store.save(run(0.5))
    store.save(run(0.6, later=1))
    (tmp_path / "runs" / "search-9.json").write_text("{broken")

    before = store.last("search")

    assert before == run(0.6, later=1)
    (change,) = changes(run(0.7, later=2), before)
    assert change.is_beyond_chance
    assert not next(changes(run(0.605), before)).is_beyond_chance
    assert [*changes(run(0.7, what="words"), before)] == []


def test_a_name_that_is_no_name_of_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="name"):
        RunStore(tmp_path).save(EvaluationRun("../x", NOW, {}, ()))
