"""Runs and results are kept as they were, and read page by page, on either database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest
from sqlalchemy import update

from shared.errors import NotFound
from shared.evaluation.bootstrap import Estimate
from shared.evaluation.catalogue import EvaluationCatalogue
from shared.evaluation.kept_run import CaseResult, CheckOutcome, Figure, KeptRun
from shared.evaluation.tables import RunState, evaluation_run
from shared.persistence.engine import Database
from shared.persistence.statements import transaction

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


def run(number: int, set_name: str = "account") -> KeptRun:
    return KeptRun(
        id=f"evalrun_{number:032x}",
        set_name=set_name,
        set_digest="d" * 64,
        version="1.0",
        began_at=NOW,
        cases=2,
    )


def result(case: str, *, repeat: int = 0, passed: bool | None = True) -> CaseResult:
    return CaseResult(
        case_id=case,
        repeat=repeat,
        conversation=case,
        state="completed",
        passed=passed,
        checks=(CheckOutcome("regex", passed, "" if passed else "It does not match."),),
        seconds=0.25,
        cost=Decimal("0.000125"),
        response_id="resp_1",
        finished_at=NOW,
    )


async def test_a_run_is_read_as_it_ended(catalogue: EvaluationCatalogue) -> None:
    begun = run(1)
    await catalogue.begin(begun)
    assert await catalogue.find(begun.id) == begun
    ended = msgspec.structs.replace(
        begun,
        variant="small first",
        state=RunState.COMPLETED,
        finished_at=NOW + timedelta(seconds=3),
        cost=Decimal("0.00025"),
        scores={Figure.TASK_COMPLETION: Estimate(0.5, 0.0, 1.0)},
    )
    await catalogue.end(ended)
    assert await catalogue.find(begun.id) == ended


async def test_a_figure_that_only_another_version_knows_is_left_out(
    catalogue: EvaluationCatalogue, database: Database
) -> None:
    figures = '{"tone":{"mean":1,"low":1,"high":1},"hallucination":{"mean":0,"low":0,"high":1}}'
    await catalogue.begin(run(1))
    async with transaction(database.durable) as connection:
        await connection.execute(update(evaluation_run).values(scores=figures))
    found = await catalogue.find(run(1).id)
    assert found.scores == {Figure.HALLUCINATION: Estimate(0, 0, 1)}


async def test_runs_come_in_pages_the_newest_first(catalogue: EvaluationCatalogue) -> None:
    for number in range(5):
        await catalogue.begin(run(number, "even" if number % 2 == 0 else "odd"))
    first = await catalogue.runs(limit=3)
    rest = await catalogue.runs(after=first[-1].id, limit=3)
    assert [each.id for each in first + rest] == [run(number).id for number in range(4, -1, -1)]
    assert len(await catalogue.runs(set_name="even")) == 3


async def test_results_are_replaced_and_come_in_pages(catalogue: EvaluationCatalogue) -> None:
    kept = [result("a"), result("a", repeat=1, passed=None), result("b", passed=False)]
    await catalogue.keep(run(1).id, [result("a", passed=False)])
    await catalogue.keep(run(1).id, kept)
    await catalogue.keep(run(2).id, [result("of another run")])
    first = await catalogue.results(run(1).id, limit=1)
    rest = await catalogue.results(run(1).id, after=("a", 0), limit=10)
    assert [*first, *rest] == kept == await catalogue.all_results(run(1).id)


@pytest.mark.parametrize("name", ["evalrun_0", "\ud800"])
async def test_a_run_that_is_not_there_is_not_found(
    catalogue: EvaluationCatalogue, name: str
) -> None:
    with pytest.raises(NotFound, match="forebay eval list"):
        await catalogue.find(name)
