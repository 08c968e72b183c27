"""A judge is asked side by side, and where it gives no verdict the reason is kept."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from deploy.cli.check.finding import Level
from deploy.cli.check.production.ground import Ground
from deploy.cli.check.production.judged import check_evaluations
from shared.alerts.figures.opinions import OpinionFigures
from shared.clock import ManualClock
from shared.errors import Unavailable
from shared.persistence.engine import Database
from shared.settings import Settings
from shared.settings.watching.evaluation import EvaluationSettings
from workers.judging.windows import JudgedWindows

from .conftest import Rounds, Say
from .scripted_judge import ScriptedJudge, newest


async def test_a_judge_is_asked_side_by_side_once_its_price_is_known(
    a_round: Rounds, say: Say, judge: ScriptedJudge, windows: JudgedWindows, clock: ManualClock
) -> None:
    judge.together = asyncio.Barrier(4)
    for nth in range(5):
        await say(f"Question {nth}?")
    clock.advance(120)
    async with asyncio.timeout(60):  # one after the other they would wait for each other for ever
        await a_round(EvaluationSettings(share=1.0, most=50))()
    assert ((await newest(windows, clock)).judged, len(judge.asked)) == (5, 5)


async def test_what_has_no_verdict_says_why(
    a_round: Rounds, say: Say, judge: ScriptedJudge, windows: JudgedWindows, clock: ManualClock
) -> None:
    judge.says = "It is fine."
    for nth in range(2):
        await say(f"Question {nth}?")
    clock.advance(120)
    await a_round()()
    ended = await newest(windows, clock)
    (why,) = ended.reasons
    assert (ended.without_verdict, ended.reasons[why]) == (2, 2)
    assert "no JSON of the form asked for" in why


async def test_answers_wait_for_a_judge_that_turns_all_questions_away(
    a_round: Rounds,
    say: Say,
    judge: ScriptedJudge,
    windows: JudgedWindows,
    database: Database,
    clock: ManualClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for nth in range(3):
        await say(f"Question {nth}?")
    clock.advance(120)
    judge.refuses_with = 401
    with pytest.raises(Unavailable, match="revoked"):
        await a_round()()
    stopped = await newest(windows, clock)
    assert (stopped.done, stopped.without_verdict, stopped.finished_at) == (0, 0, None)
    assert "The API key was revoked." in (stopped.fault or "")
    assert any("judging_stopped" in str(each.msg) for each in caplog.records)
    figure = await OpinionFigures(database, clock).unjudged_share(3_600)
    (value,) = figure.observations
    assert (value.value, "revoked" in value.words["because"]) == (1.0, True)
    nobody: Any = None  # Redis is not asked
    judges = Settings(evaluation=EvaluationSettings(enabled=True))
    ready = await check_evaluations(Ground(judges, database, nobody, clock))
    assert (ready.level, "revoked" in ready.sentence) == (Level.FAULT, True)
    judge.refuses_with = None
    await a_round()()
    ended = await newest(windows, clock)
    assert (ended.judged, ended.fault) == (3, None)


async def test_one_question_that_is_refused_keeps_no_other_from_being_judged(
    a_round: Rounds, say: Say, judge: ScriptedJudge, windows: JudgedWindows, clock: ManualClock
) -> None:
    judge.refuses_with = 413
    for nth in range(2):
        await say(f"Question {nth}?")
    clock.advance(120)
    await a_round()()
    ended = await newest(windows, clock)
    assert (ended.done, ended.without_verdict, ended.fault) == (2, 2, None)
