"""What rankings are worth, against figures that were reckoned by hand."""

from __future__ import annotations

import pytest

from shared.evaluation.metrics import ndcg, recall, reciprocal_rank


@pytest.mark.parametrize(
    ("ranking", "grades", "worth"),
    [
        ("a", {"a": 1.0}, 1.0),
        ("xa", {"a": 1.0}, 0.6309),  # 1 / log2(3)
        ("xab", {"a": 2.0, "b": 1.0}, 0.6697),  # (2 / log2(3) + 1 / 2) / (2 + 1 / log2(3))
        ("xxxxxxxxxxa", {"a": 1.0}, 0.0),  # at the eleventh place
        ("", {"a": 1.0}, 0.0),
        ("a", {}, 0.0),
    ],
)
def test_ndcg_is_the_gain_as_a_share_of_the_best_order(
    ranking: str, grades: dict[str, float], worth: float
) -> None:
    assert ndcg(ranking, grades) == pytest.approx(worth, abs=1e-4)


def test_the_reciprocal_rank_is_that_of_the_first_right_one() -> None:
    grades = {"a": 1.0, "b": 1.0, "x": 0.0}

    assert reciprocal_rank("xxab", grades) == pytest.approx(1 / 3)
    assert reciprocal_rank("xxab", grades, at=2) == 0
    assert reciprocal_rank("yz", grades) == 0


def test_recall_is_the_share_of_the_right_ones() -> None:
    grades = {"a": 2.0, "b": 1.0, "c": 1.0, "d": 1.0, "x": 0.0}

    assert recall("axbyyyyyyyc", grades) == 0.5
    assert recall("axbyyyyyyyc", grades, at=100) == 0.75
    assert recall("abc", {"x": 0.0}) == 0
