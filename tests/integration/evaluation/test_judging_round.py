"""The round that has answers judged: once each, within a day's budget, by whoever leads."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from shared.clock import ManualClock
from shared.errors import Unavailable
from shared.feedback.book import FeedbackBook
from shared.feedback.record import FeedbackRecord
from shared.persistence.engine import Database
from shared.persistence.statements import transaction
from shared.settings.watching.evaluation import EvaluationSettings
from workers.judging.windows import JudgedWindows

from .conftest import TENANT, Rounds, Say
from .scripted_judge import EACH, ScriptedJudge, newest


async def test_a_time_that_is_over_is_judged_once(
    a_round: Rounds,
    say: Say,
    judge: ScriptedJudge,
    windows: JudgedWindows,
    database: Database,
    clock: ManualClock,
) -> None:
    good, bad = await say("Is it so?"), await say("Is it bad?")
    clock.advance(120)
    await a_round()()
    await a_round()()
    assert len(judge.asked) == 2
    book = FeedbackBook(database, clock)
    kept: dict[str, FeedbackRecord] = {}
    for each in (good, bad):
        (kept[each.id],) = await book.of(TENANT, each.id)
    assert [each.value for each in kept.values()] == [1.0, 0.0]
    assert all(each.source.startswith("judge:") for each in kept.values())
    ended = await newest(windows, clock)
    assert (ended.judged, ended.passed, ended.left_over, ended.cost) == (2, 1, 0, 2 * EACH)
    assert ended.finished_at is not None
    await say("What came later?")
    clock.advance(3_600)
    await a_round()()
    following = await newest(windows, clock)
    assert following.starts_at == ended.ends_at
    assert (following.judged, len(judge.asked)) == (1, 3)


async def test_a_day_ends_with_its_budget_and_says_so(
    a_round: Rounds,
    say: Say,
    judge: ScriptedJudge,
    windows: JudgedWindows,
    clock: ManualClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock.advance(12 * 3_600)
    for nth in range(6):
        await say(f"Question {nth}?")
    clock.advance(120)
    await a_round()()
    spent = await newest(windows, clock)
    assert (spent.judged, spent.left_over, spent.cost) == (4, 2, 4 * EACH)
    (said,) = (each for each in caplog.records if "judging_budget_spent" in str(each.msg))
    assert "'left_over': 2" in str(said.msg)
    await say("One more?")
    clock.advance(3_600)
    await a_round()()
    assert (await newest(windows, clock)).left_over == 1
    assert len(judge.asked) == 4
    clock.advance(timedelta(days=1).total_seconds())
    await a_round()()
    await say("On the next day?")
    clock.advance(3_600)
    for _ in range(30):
        await a_round()()
    assert len(judge.asked) == 5


async def test_who_follows_goes_on_behind_the_last_answer(
    a_round: Rounds,
    say: Say,
    judge: ScriptedJudge,
    windows: JudgedWindows,
    clock: ManualClock,
) -> None:
    for nth in range(3):
        await say(f"Question {nth}?")
    clock.advance(120)
    judge.away_after = 2
    with pytest.raises(Unavailable):
        await a_round()()
    begun = await newest(windows, clock)
    # The second and the third were asked side by side, and one of them had an answer.
    assert (begun.done in {1, 2}, begun.finished_at) == (True, None)
    judge.away_after = None
    await a_round()()
    ended = await newest(windows, clock)
    assert (ended.starts_at, ended.judged, ended.cost) == (begun.starts_at, 3, 3 * EACH)
    assert len({*judge.asked}) == len(judge.asked) == 3


async def test_a_judge_of_unknown_price_is_asked_once_a_day(
    a_round: Rounds,
    say: Say,
    judge: ScriptedJudge,
    windows: JudgedWindows,
    clock: ManualClock,
) -> None:
    judge.cost = None
    for nth in range(3):
        await say(f"Question {nth}?")
    clock.advance(120)
    await a_round()()
    assert (len(judge.asked), (await newest(windows, clock)).left_over) == (1, 2)


async def test_tenants_that_are_not_named_are_not_judged(
    a_round: Rounds, say: Say, judge: ScriptedJudge, clock: ManualClock
) -> None:
    await say("Is it so?")
    clock.advance(120)
    await a_round(EvaluationSettings(share=1.0, tenants=("nobody of that name",)))()
    assert judge.asked == []


async def test_a_clock_that_was_far_ahead_once_ends_no_judging(
    a_round: Rounds,
    say: Say,
    judge: ScriptedJudge,
    windows: JudgedWindows,
    clock: ManualClock,
) -> None:
    clock.jump(timedelta(days=400))
    await a_round()()
    clock.jump(timedelta(days=-400))
    await a_round()()
    await say("Is it so?")
    clock.advance(2 * 3_600)
    await a_round()()
    await a_round()()
    assert len(judge.asked) == 1
    assert (await newest(windows, clock)).ends_at < clock.now()


async def test_an_answer_that_this_version_cannot_read_keeps_no_other_from_being_judged(
    a_round: Rounds,
    say: Say,
    judge: ScriptedJudge,
    windows: JudgedWindows,
    database: Database,
    clock: ManualClock,
) -> None:
    strange = await say("Is it strange?")
    await say("Is it so?")
    async with transaction(database.durable) as connection:
        unreadable = text("UPDATE message SET lane = 'of another version' WHERE id = :id")
        await connection.execute(unreadable, {"id": strange.id})
    clock.advance(120)
    await a_round()()
    ended = await newest(windows, clock)
    assert (len(judge.asked), ended.judged) == (1, 1)
    assert ended.finished_at is not None
