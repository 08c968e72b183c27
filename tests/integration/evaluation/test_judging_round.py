"""The round that has answers judged: once each, within a day's budget, by whoever leads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from shared.alerts.figures.opinions import OpinionFigures
from shared.clock import ManualClock
from shared.errors import Unavailable
from shared.evaluation.golden.answered import AnsweredCase
from shared.evaluation.judged_window import JudgedWindow
from shared.evaluation.judging.judge import Judge
from shared.evaluation.judging.verdicts import JudgeVerdicts
from shared.feedback.book import FeedbackBook
from shared.feedback.record import FeedbackRecord
from shared.persistence.engine import Database
from shared.settings.watching.evaluation import EvaluationSettings
from tests.integration.evaluation.conftest import TENANT, Say
from workers.judging.judging_round import JudgingRound
from workers.judging.windows import JudgedWindows

_HOUR = timedelta(hours=1)
_EACH = Decimal("0.01")
_SETTINGS = EvaluationSettings(share=1.0, most=50, daily_budget=Decimal("0.035"))


class _ScriptedJudge:
    """Says no to what has `bad` in it; each question costs the same."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.cost: Decimal | None = _EACH
        self.away_after: int | None = None
        self.refuses_with: int | None = None
        self.says: str | None = None
        self.together: asyncio.Barrier | None = None

    async def ask(self, body: dict[str, Any]) -> AnsweredCase:
        if self.refuses_with is not None:
            why = "The API key was revoked."
            return AnsweredCase(state="refused", error=why, refused_with=self.refuses_with)
        if self.away_after is not None and len(self.asked) >= self.away_after:
            raise Unavailable("Nobody is there.")
        assert body["store"] is False
        assert body["metadata"] == {"forebay_variant": "control"}
        self.asked.append(body["input"])
        passes = "false" if "bad" in body["input"] else "true"
        if self.together is not None and len(self.asked) > 1:
            await self.together.wait()
        said = self.says or f'{{"reason":"So.","passes":{passes}}}'
        return AnsweredCase(state="completed", text=said, model="judge", told_cost=self.cost)


@pytest.fixture
def judge() -> _ScriptedJudge:
    return _ScriptedJudge()


@pytest.fixture
def windows(database: Database) -> JudgedWindows:
    return JudgedWindows(database)


Rounds = Callable[..., JudgingRound]


@pytest.fixture
def a_round(database: Database, clock: ManualClock, judge: _ScriptedJudge) -> Rounds:
    """As a worker makes one; another is another worker's."""

    def made(settings: EvaluationSettings = _SETTINGS) -> JudgingRound:
        asking = Judge("judge", ask=judge.ask, verdicts=JudgeVerdicts(database, clock))
        return JudgingRound(asking, settings, database=database, clock=clock, round_seconds=300)

    return made


async def _newest(windows: JudgedWindows, clock: ManualClock) -> JudgedWindow:
    found = await windows.newest(clock.now())
    assert found is not None
    return found


async def test_a_time_that_is_over_is_judged_once(
    a_round: Rounds,
    say: Say,
    judge: _ScriptedJudge,
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
    ended = await _newest(windows, clock)
    assert (ended.judged, ended.passed, ended.left_over, ended.cost) == (2, 1, 0, 2 * _EACH)
    assert ended.finished_at is not None
    await say("What came later?")
    clock.advance(3_600)
    await a_round()()
    following = await _newest(windows, clock)
    assert following.starts_at == ended.ends_at
    assert (following.judged, len(judge.asked)) == (1, 3)


async def test_a_day_ends_with_its_budget_and_says_so(
    a_round: Rounds,
    say: Say,
    judge: _ScriptedJudge,
    windows: JudgedWindows,
    clock: ManualClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock.advance(12 * 3_600)
    for nth in range(6):
        await say(f"Question {nth}?")
    clock.advance(120)
    await a_round()()
    spent = await _newest(windows, clock)
    assert (spent.judged, spent.left_over, spent.cost) == (4, 2, 4 * _EACH)
    (said,) = (each for each in caplog.records if "judging_budget_spent" in str(each.msg))
    assert "'left_over': 2" in str(said.msg)
    await say("One more?")
    clock.advance(3_600)
    await a_round()()
    assert (await _newest(windows, clock)).left_over == 1
    assert len(judge.asked) == 4
    clock.advance(timedelta(days=1).total_seconds())
    await a_round()()
    await say("On the next day?")
    clock.advance(3_600)
    for _ in range(30):
        await a_round()()
    assert len(judge.asked) == 5


async def test_a_judge_is_asked_side_by_side_once_its_price_is_known(
    a_round: Rounds, say: Say, judge: _ScriptedJudge, windows: JudgedWindows, clock: ManualClock
) -> None:
    judge.together = asyncio.Barrier(4)
    for nth in range(5):
        await say(f"Question {nth}?")
    clock.advance(120)
    async with asyncio.timeout(60):  # one after the other they would wait for each other for ever
        await a_round(EvaluationSettings(share=1.0, most=50))()
    assert ((await _newest(windows, clock)).judged, len(judge.asked)) == (5, 5)


async def test_what_has_no_verdict_says_why(
    a_round: Rounds, say: Say, judge: _ScriptedJudge, windows: JudgedWindows, clock: ManualClock
) -> None:
    judge.says = "It is fine."
    for nth in range(2):
        await say(f"Question {nth}?")
    clock.advance(120)
    await a_round()()
    ended = await _newest(windows, clock)
    (why,) = ended.reasons
    assert (ended.without_verdict, ended.reasons[why]) == (2, 2)
    assert "no JSON of the form asked for" in why


async def test_answers_wait_for_a_judge_that_turns_all_questions_away(
    a_round: Rounds,
    say: Say,
    judge: _ScriptedJudge,
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
    stopped = await _newest(windows, clock)
    assert (stopped.done, stopped.without_verdict, stopped.finished_at) == (0, 0, None)
    assert "The API key was revoked." in (stopped.fault or "")
    assert any("judging_stopped" in str(each.msg) for each in caplog.records)
    figure = await OpinionFigures(database, clock).unjudged_share(3_600)
    (value,) = figure.observations
    assert (value.value, "revoked" in value.words["because"]) == (1.0, True)
    judge.refuses_with = None
    await a_round()()
    ended = await _newest(windows, clock)
    assert (ended.judged, ended.fault) == (3, None)


async def test_one_question_that_is_refused_keeps_no_other_from_being_judged(
    a_round: Rounds, say: Say, judge: _ScriptedJudge, windows: JudgedWindows, clock: ManualClock
) -> None:
    judge.refuses_with = 413
    for nth in range(2):
        await say(f"Question {nth}?")
    clock.advance(120)
    await a_round()()
    ended = await _newest(windows, clock)
    assert (ended.done, ended.without_verdict, ended.fault) == (2, 2, None)


async def test_who_follows_goes_on_behind_the_last_answer(
    a_round: Rounds,
    say: Say,
    judge: _ScriptedJudge,
    windows: JudgedWindows,
    clock: ManualClock,
) -> None:
    for nth in range(3):
        await say(f"Question {nth}?")
    clock.advance(120)
    judge.away_after = 2
    with pytest.raises(Unavailable):
        await a_round()()
    begun = await _newest(windows, clock)
    # The second and the third were asked side by side, and one of them had an answer.
    assert (begun.done in {1, 2}, begun.finished_at) == (True, None)
    judge.away_after = None
    await a_round()()
    ended = await _newest(windows, clock)
    assert (ended.starts_at, ended.judged, ended.cost) == (begun.starts_at, 3, 3 * _EACH)
    assert len({*judge.asked}) == len(judge.asked) == 3


async def test_a_judge_of_unknown_price_is_asked_once_a_day(
    a_round: Rounds,
    say: Say,
    judge: _ScriptedJudge,
    windows: JudgedWindows,
    clock: ManualClock,
) -> None:
    judge.cost = None
    for nth in range(3):
        await say(f"Question {nth}?")
    clock.advance(120)
    await a_round()()
    assert (len(judge.asked), (await _newest(windows, clock)).left_over) == (1, 2)


async def test_tenants_that_are_not_named_are_not_judged(
    a_round: Rounds, say: Say, judge: _ScriptedJudge, clock: ManualClock
) -> None:
    await say("Is it so?")
    clock.advance(120)
    await a_round(EvaluationSettings(share=1.0, tenants=("nobody of that name",)))()
    assert judge.asked == []


async def test_a_clock_that_was_far_ahead_once_ends_no_judging(
    a_round: Rounds,
    say: Say,
    judge: _ScriptedJudge,
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
    assert (await _newest(windows, clock)).ends_at < clock.now()
