"""What figures say of a ledger, and of one that has nothing yet."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import insert

from shared.alerts.deciding import FigureReading
from shared.alerts.figures.figure_table import figure_table
from shared.clock import ManualClock
from shared.evaluation.catalogue import EvaluationCatalogue
from shared.evaluation.kept_run import CaseResult, CheckOutcome, KeptRun
from shared.evaluation.tables import RunState
from shared.feedback.tables import feedback
from shared.messages.dead_letter import DeadReason
from shared.persistence.engine import Database
from shared.persistence.statements import transaction
from shared.persistence.tables import DeadLetterState, dead_letter
from shared.redis.client import open_redis
from shared.rollups.delta import Delta
from shared.settings.watching.alert_rules import AlertFigure
from tests.integration.patience import patient_settings
from tests.integration.rollups.conftest import append
from tests.integration.rollups.facts import attempt_fact, door_sums, turn_fact

from .read_figures import NOON, SETTINGS, Figures, clock, figures

__all__ = ["clock", "figures"]


async def test_without_data_shares_are_unknown_and_counts_are_none(figures: Figures) -> None:
    unknown = {
        AlertFigure.ERROR_RATE,
        AlertFigure.LATENCY_SECONDS,
        AlertFigure.DEADLINE_BURN,
        AlertFigure.LATENCY_BURN,
        AlertFigure.REFUSAL_RATE,
        AlertFigure.UNKNOWN_COST,
        AlertFigure.CACHED_TOKENS_CHANGE,
        AlertFigure.COST_DEVIATION,
        AlertFigure.MESSAGE_DEVIATION,
        AlertFigure.SATISFACTION,
        AlertFigure.JUDGE_SCORE,
        AlertFigure.UNJUDGED_SHARE,
    }
    for figure in AlertFigure:
        assert (await figures.read(figure)).knows is (figure not in unknown), figure


async def test_shares_of_what_ended_and_of_what_was_refused(
    figures: Figures, database: Database
) -> None:
    lately = NOON - timedelta(minutes=2)
    good = [turn_fact(lately, lane="interactive", latency_ms=500)] * 30
    bad = [
        turn_fact(lately, lane="interactive", state="failed", in_deadline=0, latency_ms=20_000)
    ] * 10
    doors = [door_sums(lately, count=30), door_sums(lately, reason="budget", count=10)]
    await append(database, Delta(turns=(*good, *bad), additions=tuple(doors)))
    assert await figures.values(AlertFigure.ERROR_RATE) == {"": 0.25}
    assert await figures.values(AlertFigure.REFUSAL_RATE) == {"budget": 0.25}
    assert await figures.values(AlertFigure.LATENCY_SECONDS) == {"": pytest.approx(5.375)}
    assert await figures.values(AlertFigure.DEADLINE_BURN, 3_600) == {"": pytest.approx(25)}
    assert await figures.values(AlertFigure.LATENCY_BURN, 3_600) == {"": pytest.approx(5)}


async def test_a_burn_that_is_over_is_less_by_its_short_window(
    figures: Figures, database: Database
) -> None:
    before = [turn_fact(NOON - timedelta(minutes=40), in_deadline=0)] * 50
    lately = [turn_fact(NOON - timedelta(minutes=2))] * 50
    await append(database, Delta(turns=(*before, *lately)))
    assert await figures.values(AlertFigure.DEADLINE_BURN, 3_600) == {"": 0.0}


async def test_a_share_of_few_messages_says_nothing(figures: Figures, database: Database) -> None:
    lately = NOON - timedelta(minutes=2)
    await append(database, Delta(turns=(turn_fact(lately, state="failed"),) * 19))
    assert await figures.values(AlertFigure.ERROR_RATE) == {"": None}


async def test_costs_that_nobody_knows_are_counted_by_model(
    figures: Figures, database: Database
) -> None:
    lately = NOON - timedelta(minutes=2)
    attempts = attempt_fact(lately, cost_nanos=None, model="new"), attempt_fact(lately)
    await append(database, Delta(attempts=attempts))
    assert await figures.values(AlertFigure.UNKNOWN_COST) == {"m": 0.0, "new": 1.0}


async def test_cached_tokens_are_held_against_those_of_a_day_before(
    figures: Figures, database: Database
) -> None:
    earlier, now = NOON - timedelta(hours=5), NOON - timedelta(minutes=5)
    before = attempt_fact(earlier, input_tokens=2_000_000, cached_tokens=1_000_000)
    lately = attempt_fact(now, input_tokens=200_000, cached_tokens=20_000)
    await append(database, Delta(attempts=(before, lately)))
    found = await figures.values(AlertFigure.CACHED_TOKENS_CHANGE, 3_600)
    assert found == {"": pytest.approx(0.1 / (1_020 / 2_200))}


async def test_dead_letters_are_counted_by_their_reason(
    figures: Figures, database: Database
) -> None:
    rows = [
        {
            "id": f"dead_{number}",
            "state": DeadLetterState.OPEN,
            "reason": DeadReason.DEADLINE_PASSED,
            "detail": "",
            "created_at": NOON - timedelta(minutes=number * 8),
        }
        for number in range(3)
    ]
    async with transaction(database.durable) as connection:
        await connection.execute(insert(dead_letter), rows)
    assert await figures.values(AlertFigure.DEAD_LETTERS) == {DeadReason.DEADLINE_PASSED: 2.0}


async def test_a_redis_that_is_away_leaves_breakers_unknown_and_the_rest_as_it_is(
    database: Database, clock: ManualClock
) -> None:
    redis = open_redis(patient_settings("redis://127.0.0.1:1/0"))
    figures = Figures(figure_table(SETTINGS, database, redis, clock))
    assert await figures.read(AlertFigure.BREAKER_OPEN) == FigureReading(is_read=False)
    assert (await figures.read(AlertFigure.OLDEST_WAIT_SECONDS)).knows
    await redis.aclose()


async def test_a_breaker_is_told_by_the_name_of_its_model(figures: Figures) -> None:
    assert await figures.values(AlertFigure.BREAKER_OPEN) == {"p/m": 0.0}
    # One that the settings name no more resolves as one that closed.
    assert (await figures.read(AlertFigure.BREAKER_OPEN)).absent == 0.0


async def test_people_and_judges_are_averaged_apart_once_there_are_enough(
    figures: Figures, database: Database
) -> None:
    def said(number: int, source: str, value: float | None) -> dict[str, Any]:
        given = {"given_at": NOON, "created_at": NOON, "original": "1", "earlier": "[]"}
        whose = {"id": f"{source}{number}", "response_id": f"resp_{number}", "tenant_id": "ten_1"}
        told = {"name": "good", "source": source, "value": value, "is_negative": False}
        return given | whose | told | {"changes": 0}

    rows = [said(n, "user", 0.25 + 0.5 * (n % 2)) for n in range(10)]
    rows += [said(n, "judge:strict", 0.9) for n in range(11)] + [said(99, "user", None)]
    async with transaction(database.durable) as connection:
        await connection.execute(insert(feedback), rows[:9])
    assert await figures.values(AlertFigure.SATISFACTION) == {"": None}
    async with transaction(database.durable) as connection:
        await connection.execute(insert(feedback), rows[9:])
    assert await figures.values(AlertFigure.SATISFACTION) == {"": pytest.approx(0.5)}
    assert await figures.values(AlertFigure.JUDGE_SCORE) == {"": pytest.approx(0.9)}


async def test_what_judges_said_in_the_newest_run_of_a_set_is_told_apart(
    figures: Figures, database: Database
) -> None:
    catalogue = EvaluationCatalogue(database)
    run = KeptRun(
        id="evalrun_1",
        set_name="account",
        set_digest="d",
        version="1",
        state=RunState.COMPLETED,
        began_at=NOON,
        finished_at=NOON,
        cases=12,
        judge_model="m",
    )
    for each, good in ((run, 12), (replace(run, id="evalrun_2"), 3)):
        outcomes = [CheckOutcome("judge", nth < good, judge="j") for nth in range(12)]
        await catalogue.begin(each)
        await catalogue.keep(
            each.id,
            [
                CaseResult(
                    case_id=f"c{nth}",
                    conversation="c",
                    state="completed",
                    passed=one.passed,
                    checks=(CheckOutcome("exact", True), one),
                    finished_at=NOON,
                )
                for nth, one in enumerate(outcomes)
            ],
        )
    await catalogue.begin(replace(run, id="evalrun_3", set_name="without", judge_model=None))
    await catalogue.begin(replace(run, id="evalrun_4", set_name="few"))
    score = await figures.values(AlertFigure.JUDGE_SCORE)
    assert score == {"": None, "account": 0.25, "few": None}
