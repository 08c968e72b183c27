"""What conversations come to, reckoned from both ledgers."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import func, select

from shared.clock import ManualClock
from shared.feedback.book import FeedbackBook
from shared.feedback.verdict import GivenFeedback, verdict_of
from shared.identifiers import EVALUATION_MESSAGE, new_id
from shared.messages.state import ResponseState
from shared.outcomes.closing import QUIET
from shared.outcomes.outcome import SUMS
from shared.outcomes.reading import OutcomeDimension, OutcomeFigures, Outcomes
from shared.outcomes.tables import outcome, outcome_day
from shared.persistence.engine import Database
from shared.persistence.ledger.message_ledger import MessageLedger
from shared.persistence.statements import reading
from shared.settings.servers import LedgerSettings
from shared.telemetry.metrics import Metrics

from .conftest import AnswerMessage, Close, NewMessage, Talk

OWNER = "ten_1"
COMPLETED, FAILED = ResponseState.COMPLETED, ResponseState.FAILED


async def figures(database: Database, clock: ManualClock, **more: Any) -> dict[str, OutcomeFigures]:
    today = clock.now().date()
    found = await Outcomes(database).figures(today - timedelta(days=9), today, **more)
    return {each.group: each for each in found}


async def test_a_success_pays_for_what_failed_and_for_every_conversation_that_was_none(
    talk: Talk, close: Close, database: Database, clock: ManualClock, metrics: Metrics
) -> None:
    await talk("good", "0.1", "0.2", text="Where is my order?")
    await talk("good", "0.3", text="And what did it cost?")
    await talk("failed", "0.4", state=FAILED)
    await talk("handed", "0.5", state=ResponseState.REQUIRES_ACTION)
    await talk("again", "0.6", text="Where is order seven?")
    await talk("again", text="Order seven, where is it?")
    await talk(None, "0.7", None)
    await close()
    assert await figures(database, clock) == {}
    clock.advance(QUIET.total_seconds() + 1)
    await close()
    await close()
    whole = (await figures(database, clock))[""]
    assert (whole.conversations, whole.successes, whole.turns) == (5, 2, 7)
    assert (whole.handed_off, whole.asked_again, whole.unknown_costs) == (1, 1, 1)
    assert whole.completion.mean == pytest.approx(3 / 5)
    assert whole.cost_per_success is not None
    assert whole.cost_per_success.mean == pytest.approx(2.8 / 2)
    assert whole.cost_per_success.low is not None
    assert whole.cost_per_success.low < 1.4
    assert (
        whole.cost_per_success.high is None
    )  # among others of their kind there may be no success at all
    assert whole.satisfaction is None
    assert metrics.outcomes.labels("success", "")._value.get() == 2
    assert metrics.outcomes.labels("asked_again", "")._value.get() == 1


async def test_what_an_evaluation_asked_is_in_no_figure(
    new_message: NewMessage,
    answer_message: AnswerMessage,
    close: Close,
    database: Database,
    clock: ManualClock,
) -> None:
    for key in (new_id(EVALUATION_MESSAGE), "of_a_caller", "EVALMSG_of_a_caller", None):
        await answer_message(new_message(idempotency_key=key))
    clock.advance(QUIET.total_seconds() + 1)
    await close()
    assert (await figures(database, clock))[""].conversations == 3


async def test_a_conversation_that_goes_on_or_is_judged_late_is_counted_once(
    talk: Talk, close: Close, database: Database, clock: ManualClock
) -> None:
    first = await talk("talk", "1", text="Where is my order?", caught=("facts", "length"))
    clock.advance(QUIET.total_seconds() + 1)
    await close()
    before = (await figures(database, clock))[""]
    assert (before.conversations, before.successes, before.turns) == (1, 1, 1)
    assert before.hallucinations is not None
    assert before.hallucinations.mean == 1
    clock.advance(timedelta(days=1).total_seconds())
    await talk("talk", "1", text="What does it cost?")
    clock.advance(QUIET.total_seconds() + 1)
    await close()
    on = (await figures(database, clock))[""]
    assert (on.conversations, on.successes, on.turns, on.cost) == (1, 1, 2, 2.0)
    book = FeedbackBook(database, clock)
    for source, value in (("user", 0.2), ("judge:tone", 0.0), ("ann", 0.8)):
        said = verdict_of(GivenFeedback(name="helpful", value=value, source=source))
        await book.give(OWNER, first.id, said)
    clock.advance(61)
    await close()
    judged = (await figures(database, clock))[""]
    assert (judged.conversations, judged.successes, judged.negative) == (1, 0, 1)
    assert judged.satisfaction is not None
    assert judged.satisfaction.mean == pytest.approx(0.5)
    assert judged.cost_per_success is None


async def test_figures_are_told_apart_by_every_name(
    talk: Talk, close: Close, database: Database, clock: ManualClock
) -> None:
    await talk(None, "1", variant="warm")
    await talk(None, "3")
    clock.advance(QUIET.total_seconds() + 1)
    await close()
    by = await figures(database, clock, by=OutcomeDimension.VARIANT)
    assert {name: each.cost for name, each in by.items()} == {"warm": 1.0, "": 3.0}
    names = {
        OutcomeDimension.TENANT: OWNER,
        OutcomeDimension.VERSION: "1.2.3",
        OutcomeDimension.MODEL: "m",
        OutcomeDimension.ROUTE: "p",
    }
    for dimension, name in names.items():
        assert (await figures(database, clock, by=dimension)).keys() == {name}
    assert await figures(database, clock, tenant_id="ten_2") == {}


async def test_days_are_the_sums_of_their_rows_whatever_happens_in_between(
    talk: Talk, close: Close, database: Database, clock: ManualClock
) -> None:
    dice = Random(7)
    told = []
    for _ in range(40):
        name = dice.choice([None, "a", "b", "c"])
        state = dice.choice([COMPLETED, COMPLETED, FAILED])
        told.append(await talk(name, dice.choice(["0.25", "0.5"]), state=state))
        if dice.random() < 0.3:
            value = dice.choice([True, False])
            book = FeedbackBook(database, clock)
            said = verdict_of(GivenFeedback(name="helpful", value=value))
            await book.give(OWNER, dice.choice(told).id, said)
        if dice.random() < 0.4:
            clock.advance(dice.choice([30, 700, 50_000]))
            await close()
    clock.advance(2_000)
    for _ in range(4):
        await close()
    async with reading(database.relaxed) as connection:
        rows = (await connection.execute(select(outcome))).all()
        columns = [func.sum(outcome_day.c[name]) for name in SUMS]
        sums = dict(zip(SUMS, (await connection.execute(select(*columns))).one(), strict=True))
    assert sums["conversations"] == len(rows)
    assert sums["turns"] == sum(row.turns for row in rows) == 40
    assert sums["completed"] == sum(row.is_completed for row in rows)
    assert sums["negative"] == sum(row.is_negative for row in rows)
    assert float(sums["cost"]) == pytest.approx(float(sum(row.cost for row in rows)))
    assert float(sums["score"]) == pytest.approx(sum(row.score for row in rows))


async def test_rows_go_and_the_sums_of_their_days_stay(
    talk: Talk, close: Close, database: Database, settings: LedgerSettings, clock: ManualClock
) -> None:
    await talk(None, "1")
    began: date = clock.now().date()
    clock.advance(timedelta(days=settings.retention_days, minutes=30).total_seconds())
    await close()
    (left,) = await Outcomes(database).figures(began, began)
    assert (left.conversations, left.cost) == (1, 1.0)
    async with reading(database.relaxed) as connection:
        assert (await connection.execute(select(outcome))).all() == []


async def test_what_was_deleted_before_it_was_closed_is_in_no_figure(
    talk: Talk, close: Close, ledger: MessageLedger, database: Database, clock: ManualClock
) -> None:
    gone = await talk("talk", "1")
    await ledger.delete(gone.id, tenant_id=OWNER)
    clock.advance(QUIET.total_seconds() + 1)
    await close()
    assert await figures(database, clock) == {}
