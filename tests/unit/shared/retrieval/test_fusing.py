"""Lists of several legs as one."""

from __future__ import annotations

import math

import pytest

from shared.retrieval.asking.fusing import fuse
from shared.retrieval.legs import LegName
from shared.search.query import Dbsf, Rrf

TEXT, WORDS, SYMBOLS = LegName.TEXT, LegName.WORDS, LegName.SYMBOLS
EQUAL = dict.fromkeys(LegName, 1.0)


@pytest.mark.parametrize("fusion", [Dbsf(), Rrf(60), Rrf(2)])
def test_what_every_leg_likes_best_comes_first(fusion: Rrf | Dbsf) -> None:
    legs = {TEXT: [("a", 0.9), ("b", 0.8), ("c", 0.1)], WORDS: [("a", 9.0), ("d", 2.0)]}

    scores = fuse(legs, EQUAL, fusion)

    assert max(scores, key=scores.__getitem__) == "a"
    assert scores.keys() == {"a", "b", "c", "d"}
    assert all(0 <= score <= 1 for score in scores.values())


def test_a_passage_that_is_first_everywhere_has_all_that_rrf_can_give() -> None:
    legs = {TEXT: [("a", 0.9), ("b", 0.8)], WORDS: [("a", 9.0)]}

    assert fuse(legs, EQUAL, Rrf(60))["a"] == pytest.approx(1)


def test_scores_that_stand_out_count_more_by_dbsf_and_not_by_rrf() -> None:
    far = {TEXT: [("a", 0.9), *((f"x{n}", 0.1) for n in range(9))], WORDS: [("b", 5.1), ("c", 5.0)]}

    assert fuse(far, EQUAL, Dbsf())["a"] > fuse(far, EQUAL, Dbsf())["b"]
    assert fuse(far, EQUAL, Rrf(60))["a"] == fuse(far, EQUAL, Rrf(60))["b"]


def test_weights_decide_between_legs_by_dbsf_and_by_rrf_with_a_small_k() -> None:
    between = [(f"x{place}", 0.5) for place in range(4)]
    legs = {TEXT: [("a", 0.9), *between, ("b", 0.1)], WORDS: [("b", 0.9), *between, ("a", 0.1)]}
    weights = {TEXT: 3.0, WORDS: 1.0}

    for fusion in (Dbsf(), Rrf(2)):
        scores = fuse(legs, weights, fusion)
        assert scores["a"] > scores["b"]


def test_a_lone_exact_name_is_no_middling_one() -> None:
    legs = {SYMBOLS: [("a", 1.0)], WORDS: [("b", 3.0)]}

    scores = fuse(legs, EQUAL, Dbsf())

    assert scores == {"a": 0.5, "b": 0.25}


def test_scores_far_off_their_legs_others_keep_their_order() -> None:
    ranking = [
        ("a", 90.0),
        ("b", 80.0),
        *((f"x{n}", 1.0 + n / 100) for n in range(90)),
        ("z", -70.0),
    ]

    scores = fuse({WORDS: ranking}, EQUAL, Dbsf())

    assert sorted(scores, key=scores.__getitem__, reverse=True)[:2] == ["a", "b"]
    assert 1 > scores["a"] > scores["b"] > 0.9
    assert min(scores, key=scores.__getitem__) == "z"
    assert 0 < scores["z"] < 0.1


def test_equal_and_odd_scores_give_numbers() -> None:
    legs = {TEXT: [("a", 0.5), ("b", 0.5)], WORDS: [("a", 0.0)]}

    scores = fuse(legs, EQUAL, Dbsf())

    assert scores == {"a": 0.5, "b": 0.25}
    assert all(map(math.isfinite, scores.values()))


def test_a_leg_that_answered_nothing_is_a_leg_all_the_same() -> None:
    assert fuse({TEXT: [("a", 0.5)], WORDS: []}, EQUAL, Rrf(60)) == {"a": 0.5}
    assert fuse({}, EQUAL, Dbsf()) == {}
