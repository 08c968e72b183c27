"""From labelled pairs to a threshold and what may be claimed of it."""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path

import pytest

from shared.errors import InvalidRequest
from workers.caching.semantic.calibration.confidence import hits_needed, upper_bound
from workers.caching.semantic.calibration.judged_pair import JudgedPair
from workers.caching.semantic.calibration.labelled_pair import Half, LabelledPair, read_pairs
from workers.caching.semantic.calibration.report import build_report
from workers.caching.semantic.guard.guard import refusal
from workers.caching.semantic.guard.guard_rule import GuardRule
from workers.caching.semantic.guard.question import GuardedQuestion


@pytest.mark.parametrize(
    ("wrong", "hits", "bound"),
    # R: binom.test(wrong, hits, alternative = "less")$conf.int[2]
    [(0, 299, 0.009969), (0, 10, 0.258866), (1, 10, 0.394163), (5, 100, 0.102253), (10, 10, 1)],
)
def test_the_upper_bound_is_the_one_of_clopper_and_pearson(
    wrong: int, hits: int, bound: float
) -> None:
    assert upper_bound(wrong, hits) == pytest.approx(bound, abs=1e-5)


def test_nothing_seen_proves_nothing() -> None:
    assert upper_bound(0, 0) == 1


@pytest.mark.parametrize(("bound", "hits"), [(0.01, 299), (0.03, 99), (0.05, 59), (0.5, 5)])
def test_so_many_clean_hits_are_just_enough(bound: float, hits: int) -> None:
    assert hits_needed(bound) == hits
    assert upper_bound(0, hits) <= bound < upper_bound(0, hits - 1)


def judged(
    similarity: float, *, same: bool, half: Half, refused_by: GuardRule | None = None
) -> JudgedPair:
    pair = LabelledPair(first="a", second="b", same=same, half=half)
    return JudgedPair(pair, similarity, refused_by)


def both_halves(
    count: int, similarity: float, *, same: bool, refused_by: GuardRule | None = None
) -> list[JudgedPair]:
    return [
        judged(similarity, same=same, half=half, refused_by=refused_by)
        for half in Half
        for _ in range(count)
    ]


def test_the_lowest_threshold_that_keeps_the_bound_is_chosen_and_proven() -> None:
    pairs = both_halves(400, 0.85, same=True) + both_halves(50, 0.75, same=False)
    report = build_report(pairs, bound=0.01)
    assert report.threshold == 0.76
    assert report.is_proven
    assert report.at_threshold is not None
    assert (report.at_threshold.hits, report.at_threshold.wrong) == (400, 0)


def test_few_pairs_prove_nothing_and_the_report_says_how_many_would() -> None:
    report = build_report(both_halves(40, 0.85, same=True), bound=0.01)
    assert not report.is_proven
    assert report.hits_needed == 299


def test_what_only_holds_on_the_half_for_choosing_is_not_proven() -> None:
    pairs = both_halves(400, 0.85, same=True)
    pairs += [judged(0.9, same=False, half=Half.REPORT) for _ in range(40)]
    report = build_report(pairs, bound=0.01)
    assert report.threshold == 0.6
    assert not report.is_proven


def test_no_threshold_is_chosen_where_none_keeps_the_bound() -> None:
    report = build_report(both_halves(10, 0.97, same=False), bound=0.01)
    assert report.threshold is None
    assert report.at_threshold is None


def test_what_the_guard_refuses_is_no_hit() -> None:
    pairs = both_halves(10, 0.9, same=False, refused_by=GuardRule.POLARITY)
    report = build_report([*pairs, *both_halves(10, 0.9, same=True)], bound=0.5)
    assert {rates.wrong for rates in report.guarded} == {0}
    assert report.unguarded[0].false_hit_rate == 0.5
    assert report.refusals == {"polarity": 20}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"first": "a", "second": "b", "same": true}\n{"first": "a"}', "line 2"),
        ('\n\n{"first": "a", "second": "b", "same": "yes"}', "line 3"),
        ("not json", "line 1"),
        ('{"first": "", "second": "b", "same": true}', "line 1"),
        ("\n", "holds no pairs"),
        ('{"first": "a", "second": "b", "same": true, "half": "tune"}', "half 'report'"),
    ],
)
def test_a_bad_file_is_refused_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "pairs.jsonl"
    file.write_text(text)
    with pytest.raises(InvalidRequest, match=said):
        read_pairs(file)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="cannot be read"):
        read_pairs(tmp_path / "nothing.jsonl")


def test_pairs_of_one_question_stay_in_one_half() -> None:
    halves = {LabelledPair(first="a", second=f"b{n}", same=True).is_for_tuning for n in range(50)}
    assert len(halves) == 1


def test_the_guard_keeps_what_was_published_of_it_on_the_shipped_pairs() -> None:
    with as_file(files("deploy.cli.cache").joinpath("labelled_pairs.jsonl")) as file:
        pairs = read_pairs(file)
    passed = [
        pair
        for pair in pairs
        if refusal(GuardedQuestion(pair.first), GuardedQuestion(pair.second)) is None
    ]
    right = sum(pair.same for pair in passed)
    assert len(pairs) >= 800
    assert right / sum(pair.same for pair in pairs) > 0.65
    assert (len(passed) - right) / sum(not pair.same for pair in pairs) < 0.04
