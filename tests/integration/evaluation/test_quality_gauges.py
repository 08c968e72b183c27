"""The four figures that matter, as one worker tells them."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from sqlalchemy import insert

from shared.clock import ManualClock
from shared.evaluation.bootstrap import Estimate
from shared.evaluation.catalogue import EvaluationCatalogue
from shared.evaluation.kept_run import Figure, KeptRun
from shared.evaluation.tables import RunState
from shared.outcomes.outcome import SUMS
from shared.outcomes.tables import outcome_day
from shared.persistence.engine import Database
from shared.persistence.ledger.role_leases import RoleLease
from shared.persistence.statements import transaction
from shared.telemetry.metrics import Metrics
from workers.maintenance.quality_gauges import QualityGauges


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


def _gauges(
    database: Database, metrics: Metrics, clock: ManualClock, worker: str = "one"
) -> QualityGauges:
    lease = RoleLease(database, clock, role="quality", holder=worker, lease_seconds=240)
    return QualityGauges(lease, database, metrics, clock)


async def _day(
    database: Database, clock: ManualClock, version: str, variant: str = "", **sums: object
) -> None:
    row = {"day": f"{clock.now():%Y-%m-%d}", "tenant_id": "t", "version": version, "model": "m"}
    row |= {"route": "r", "variant": variant, **dict.fromkeys(SUMS, 0), **sums}
    async with transaction(database.durable) as connection:
        await connection.execute(insert(outcome_day), row)


def _told(metrics: Metrics, name: str) -> dict[str, float]:
    lines = metrics.render().decode().splitlines()
    found = (each.rpartition(" ") for each in lines if each.startswith(f"forebay_{name}{{"))
    return {series.partition("{")[2].rstrip("}"): float(value) for series, _, value in found}


async def test_outcomes_are_told_by_version_and_variant(
    database: Database, metrics: Metrics, clock: ManualClock
) -> None:
    sums = {"conversations": 4, "completed": 3, "successes": 2, "turns": 10, "caught": 1}
    await _day(database, clock, "1.0", cost=Decimal(3), score=1.5, verdicts=2, **sums)
    await _day(database, clock, "1.0", "terse", conversations=1, completed=1, turns=1)
    gauges = _gauges(database, metrics, clock)
    await gauges()
    usual, terse = 'variant="",version="1.0"', 'variant="terse",version="1.0"'
    assert _told(metrics, "outcome_task_completion") == {usual: 0.75, terse: 1.0}
    assert _told(metrics, "outcome_hallucination") == {usual: 0.1, terse: 0.0}
    assert _told(metrics, "outcome_satisfaction") == {usual: 0.75}
    assert _told(metrics, "outcome_cost_per_success") == {usual: 1.5}
    clock.advance(7 * 86_400)
    await _day(database, clock, "1.1", conversations=2)
    await gauges()
    assert _told(metrics, "outcome_task_completion") == {'variant="",version="1.1"': 0.0}
    for nth in range(12):
        await _day(database, clock, f"2.{nth}", conversations=10 - nth // 2)
    await gauges()
    assert len(_told(metrics, "outcome_task_completion")) == 8


async def test_the_newest_whole_run_of_each_set_is_told_with_its_interval(
    database: Database, catalogue: EvaluationCatalogue, metrics: Metrics, clock: ManualClock
) -> None:
    estimate = Estimate(0.9, 0.8, 1.0)
    run = KeptRun(
        id="evalrun_1",
        set_name="account",
        set_digest="d",
        version="old",
        state=RunState.COMPLETED,
        began_at=clock.now(),
        cases=9,
        scores={Figure.TASK_COMPLETION: Estimate(0.5, 0.4, 0.6)},
    )
    scores = {Figure.TASK_COMPLETION: estimate}
    newer = msgspec.structs.replace(run, id="evalrun_2", version="new", scores=scores)
    stopped = msgspec.structs.replace(run, id="evalrun_3", state=RunState.STOPPED)
    other = msgspec.structs.replace(newer, id="evalrun_0", set_name="tools", variant="terse")
    gauges = _gauges(database, metrics, clock)
    for each in (run, other):
        await catalogue.begin(each)
    await gauges()
    assert len(_told(metrics, "evaluation_task_completion")) == 6
    for each in (newer, stopped):
        await catalogue.begin(each)
    await gauges()
    assert _told(metrics, "evaluation_task_completion") == {
        f'bound="{bound}",set="{name}",variant="{variant}",version="new"': value
        for name, variant in (("account", ""), ("tools", "terse"))
        for bound, value in (("mean", 0.9), ("low", 0.8), ("high", 1.0))
    }


async def test_who_does_not_lead_tells_nothing(
    database: Database, metrics: Metrics, clock: ManualClock
) -> None:
    await _day(database, clock, "1.0", conversations=1, completed=1)
    others = Metrics()
    leads, follows = _gauges(database, metrics, clock), _gauges(database, others, clock, "two")
    await leads()
    await follows()
    assert _told(metrics, "outcome_task_completion")
    assert not _told(others, "outcome_task_completion")
    clock.advance(300)
    await follows()
    await leads()
    assert _told(others, "outcome_task_completion")
    assert not _told(metrics, "outcome_task_completion")
