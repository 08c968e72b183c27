"""Runs that are kept, and held against the last of their kind."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from shared.errors import InvalidRequest
from shared.evaluation.comparing import compare_runs
from shared.evaluation.floor import Floor
from shared.evaluation.halves import CaseHalf
from shared.evaluation.run import EvaluationRun
from shared.evaluation.run_folder import RunFolder

CASES = tuple(f"case {number}" for number in range(40))


def run(value: float, *, later: int = 0, model: str = "m") -> EvaluationRun:
    return EvaluationRun(
        subject="search",
        set_name="manual",
        settings={"model": model},
        conditions={"machine": "this one"},
        at=datetime(2026, 11, 29, tzinfo=UTC) + timedelta(seconds=later),
        cases=CASES,
        systems={"words": {"ndcg@10": (value,) * len(CASES)}},
    )


def test_the_last_run_is_the_newest_of_the_same_settings(tmp_path: Path) -> None:
    kept = RunFolder(tmp_path / "runs")
    assert kept.last(run(0.5)) is None
    kept.store(run(0.5))
    kept.store(run(0.6, later=1))
    kept.store(run(0.9, later=2, model="another"))

    assert kept.last(run(0.7, later=3)) == run(0.6, later=1)
    assert kept.last(run(0.7, later=1)) == run(0.5)


def test_a_file_that_is_no_run_is_passed_over(tmp_path: Path) -> None:
    kept = RunFolder(tmp_path)
    kept.store(run(0.5))
    kept.store(run(0.6, later=1)).write_text("{broken")

    assert kept.last(run(0.7, later=2)) == run(0.5)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(InvalidRequest, match="cannot be stored in"):
        RunFolder(tmp_path / "file").store(run(0.5))


def test_runs_are_compared_case_by_case_where_both_have_the_case() -> None:
    before = run(0.5)
    fewer = msgspec.structs.replace(
        before, cases=CASES[::-2], systems={"words": {"ndcg@10": (0.25,) * 20}}
    )

    compared = compare_runs(run(0.75, later=1), fewer, metric="ndcg@10")

    assert compared.cases == 20
    assert compared.changes["words"].mean == pytest.approx(0.5)
    assert compared.changes["words"].low > 0
    assert compare_runs(run(0.5), before, metric="mrr").changes == {}


def test_a_half_has_its_own_cases_with_their_values() -> None:
    values = tuple(float(number) for number in range(40))
    whole = msgspec.structs.replace(run(0.0), systems={"words": {"ndcg@10": values}})

    tuned, held_out = whole.of(CaseHalf.TUNED), whole.of(CaseHalf.HELD_OUT)

    assert {*tuned.cases} | {*held_out.cases} == {*CASES}
    assert not {*tuned.cases} & {*held_out.cases}
    assert tuned.systems["words"]["ndcg@10"] == tuple(
        float(CASES.index(case)) for case in tuned.cases
    )


@pytest.mark.parametrize("typed", ["ndcg@10", "=0.5", "ndcg@10=much", "ndcg@10=2", "ndcg@10=nan"])
def test_a_floor_that_cannot_be_read_says_how_it_is_written(typed: str) -> None:
    with pytest.raises(InvalidRequest, match=r"METRIC=VALUE") as refused:
        Floor.read(typed)
    assert refused.value.param == "fail_under"


def test_a_floor_is_a_metric_and_its_least() -> None:
    assert Floor.read("ndcg@10=0.5") == Floor("ndcg@10", 0.5)
