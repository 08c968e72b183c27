"""A whole evaluation: real encoders, the embedded engine, the product's own indexer and search."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from deploy.cli.__main__ import DONE, FAILED, WRONGLY_USED, run
from indexer.evaluation.report import SetReport
from indexer.evaluation.search_evaluation import SearchEvaluation
from indexer.evaluation.set_building import EvaluationPlan
from indexer.evaluation.systems import AMONG, DEFAULT, FUSED, LEGS, ORACLE, REFERENCE
from shared.clock import SystemClock
from shared.errors import InvalidRequest
from shared.evaluation.floor import Floor
from shared.evaluation.run_folder import RunFolder
from shared.settings import Settings
from tests.integration.patience import PATIENT_SEARCH

THINGS = (
    "anchor", "bottle", "candle", "drum", "engine", "feather", "garden", "hammer", "island",
    "jacket", "kettle", "ladder", "mirror", "needle", "orchard", "pencil", "quarry", "ribbon",
    "saddle", "tunnel", "umbrella", "violin", "window", "yard", "zebra",
)  # fmt: skip


PATIENT = Settings(search=PATIENT_SEARCH)


class UntoldProgress:
    """Nobody looks."""

    def begin(self, step: str, total: int) -> None:
        """Says nothing."""

    def advance(self, done: int) -> None:
        """Says nothing."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Fifty documents: of each thing one that is right, and one that only mentions it."""
    (tmp_path / "qrels").mkdir()
    corpus, queries, judged = [], [], ["query-id\tcorpus-id\tscore"]
    for thing in THINGS:
        right = f"The {thing} is kept dry in winter. How to repair a {thing} is told here."
        corpus.append({"_id": thing, "title": thing.title(), "text": right})
        corpus.append({"_id": f"not-{thing}", "text": f"A letter of 1912 names the {thing} once."})
        queries.append({"_id": thing, "text": f"repair the {thing}"})
        judged.append(f"{thing}\t{thing}\t1")
    for name, lines in (("corpus", corpus), ("queries", queries)):
        (tmp_path / f"{name}.jsonl").write_bytes(b"\n".join(map(msgspec.json.encode, lines)))
    (tmp_path / "qrels" / "test.tsv").write_text("\n".join(judged) + "\n")
    return tmp_path


async def test_every_leg_every_fusion_and_what_is_gone_are_measured(folder: Path) -> None:
    runs = RunFolder(folder / "runs")
    evaluation = SearchEvaluation(PATIENT, runs, SystemClock(), UntoldProgress())
    plan = EvaluationPlan(("beir",), limit=0, beir=folder)

    first = await evaluation.run(plan)
    again = await evaluation.run(plan)

    (told,) = first.sets
    assert told.to_reference == {}
    assert {each.name for each in told.systems} == {
        *LEGS, *(each.name for each in FUSED), DEFAULT, ORACLE
    }  # fmt: skip
    assert sum(told.questions.values()) == len(THINGS)
    ours = told.figures(DEFAULT)
    assert ours.held_out["ndcg@10"].mean > 0.9
    assert told.figures("code").held_out["ndcg@10"].mean == 0, "prose has no vector of code"
    assert ours.held_out["ndcg@10"].mean <= told.figures(ORACLE).held_out["ndcg@10"].mean
    assert told.since_last is None
    since = again.sets[0].since_last
    assert since is not None
    assert since.cases == len(THINGS)
    assert since.changes[DEFAULT].mean == 0
    assert first.below(Floor("ndcg@10", 0.5)) == []


async def test_names_are_found_and_nothing_of_what_was_deleted_or_moved(tmp_path: Path) -> None:
    evaluation = SearchEvaluation(PATIENT, RunFolder(tmp_path), SystemClock(), UntoldProgress())

    report = await evaluation.run(EvaluationPlan(("symbols", "deleted", "renamed"), 4))

    assert [each.name for each in report.sets] == ["symbols", "deleted", "renamed"]
    symbols, *probes = report.sets
    # The product looks names up in its ledger, which no leg of the store can.
    assert symbols.figures(DEFAULT).held_out["ndcg@10"].mean > 0.95
    assert symbols.margins["words"].mean > 0
    for each in probes:
        assert means(each, "presence") == {1.0}
        assert means(each, "absence") == {1.0}


async def test_the_default_is_held_against_a_reference_on_the_same_questions(
    tmp_path: Path,
) -> None:
    evaluation = SearchEvaluation(PATIENT, RunFolder(tmp_path), SystemClock(), UntoldProgress())

    (told,) = (await evaluation.run(EvaluationPlan(("docstrings",), 4))).sets

    ours, among, theirs = (
        told.figures(each).held_out["ndcg@10"].mean for each in (DEFAULT, AMONG, REFERENCE)
    )
    assert theirs > 0.5
    assert among >= ours
    assert [*told.to_reference] == [DEFAULT, AMONG]
    for name, mean in ((DEFAULT, ours), (AMONG, among)):
        share = told.to_reference[name]
        assert share.share.mean == pytest.approx(mean / theirs, rel=1e-3)
        assert share.is_reached == (share.share.mean >= 0.98)


async def test_a_set_that_cannot_be_built_is_named_and_the_others_are_measured(
    tmp_path: Path,
) -> None:
    evaluation = SearchEvaluation(PATIENT, RunFolder(tmp_path), SystemClock(), UntoldProgress())

    report = await evaluation.run(EvaluationPlan(("commits", "beir")))

    assert report.sets == ()
    assert [each.name for each in report.missing] == ["commits", "beir"]
    assert "--checkout" in report.missing[0].why
    with pytest.raises(InvalidRequest, match=r"corpus\.jsonl"):
        await evaluation.run(EvaluationPlan(("beir",), beir=tmp_path))


def test_the_command_prints_what_it_measured(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)

    code = run([
        *("eval", "search", "--sets", "beir,commits", "--beir", str(folder), "--limit", "20"),
        *("--fail-under", "ndcg@10=0.1", "--json"),
    ])  # fmt: skip

    assert code == DONE
    report = msgspec.json.decode(capsys.readouterr().out)
    assert report["sets"][0]["name"] == "beir"
    assert Path(report["sets"][0]["stored"]).is_file()
    assert report["missing"][0]["name"] == "commits"


def test_below_its_floor_a_set_is_named_and_the_command_fails(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = ["query-id\tcorpus-id\tscore", *(f"{each}\tnot-{each}\t1" for each in THINGS)]
    (folder / "qrels" / "test.tsv").write_text("\n".join(wrong) + "\n")

    code = run([
        *("eval", "search", "--sets", "beir", "--beir", str(folder), "--limit", "0"),
        *("--runs", str(folder / "runs"), "--fail-under", "mrr=0.99"),
    ])  # fmt: skip

    assert code == FAILED
    told = capsys.readouterr()
    assert "beir: mrr is 0." in told.err
    assert "nDCG@10 held out" in told.out
    assert "default against words" in told.out


@pytest.mark.parametrize(
    "asked", [["--sets", "beirs"], ["--fail-under", "ndcg@10"], ["--fail-under", "recall=1"]]
)
def test_what_was_typed_wrong_is_named(
    asked: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["eval", "search", *asked]) == WRONGLY_USED
    assert " ".join(asked).removesuffix("=1") in capsys.readouterr().err


def means(told: SetReport, metric: str) -> set[float]:
    figures = told.figures(DEFAULT)
    return {half[metric].mean for half in (figures.tuned, figures.held_out) if half}
