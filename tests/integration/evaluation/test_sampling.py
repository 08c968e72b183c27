"""What is judged of a time: all that is suspicious, and some of the rest."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from random import Random

import pytest
from sqlalchemy import insert, update

from shared.clock import ManualClock
from shared.feedback.book import FeedbackBook
from shared.feedback.verdict import FeedbackVerdict
from shared.identifiers import EVALUATION_MESSAGE, new_id
from shared.messages.turn_report import TurnReport, encode_report
from shared.persistence.engine import Database
from shared.persistence.statements import transaction
from shared.persistence.tables import HandoffState, attempt, handoff, message
from tests.integration.evaluation.conftest import TENANT, Say
from workers.judging.sampling import AnswerSample, GivenAnswer

_OTHER = "ten_2"


@pytest.fixture
def sample(database: Database, clock: ManualClock) -> AnswerSample:
    now = clock.now()
    return AnswerSample(database, since=now, until=now + timedelta(hours=1))


async def _suspicious(of: AnswerSample) -> list[GivenAnswer]:
    return await of.chosen(share=1.0, most=0, dice=Random(1))


async def test_what_is_suspicious_is_taken_whole(
    sample: AnswerSample, say: Say, database: Database, clock: ManualClock
) -> None:
    said_of = [await say(f"Question {n}.") for n in range(7)]
    bad, judged, abusive, handed, caught, mended, _fine = said_of
    book = FeedbackBook(database, clock)
    for each, name, source in (
        (bad, "helpful", "user"),
        (judged, "quality", "judge:1"),
        (abusive, "abuse", "user"),
    ):
        value = float(name == "abuse")
        said = FeedbackVerdict(name=name, source=source, original=bool(value), value=value)
        await book.give(TENANT, each.id, said)
    async with transaction(database.durable) as connection:
        report = encode_report(TurnReport(caught=("amounts",)))
        query = update(message).where(message.c.id == mended.id).values(report=report)
        await connection.execute(query)
        await connection.execute(
            insert(handoff),
            {
                "id": "hand_1",
                "message_id": handed.id,
                "tenant_id": TENANT,
                "state": HandoffState.ANSWERED,
                "reason": "x",
                "created_at": clock.now(),
                "answered_at": clock.now(),
            },
        )
        for ordinal, error_class in enumerate(("rejected", "rejected", None)):
            await connection.execute(
                insert(attempt),
                {
                    "message_id": caught.id,
                    "claim": 1,
                    "ordinal": ordinal,
                    "provider": "p",
                    "model": "m",
                    "error_class": error_class,
                    "started_at": clock.now(),
                    "latency_seconds": 0.1,
                    "tenant_id": TENANT,
                },
            )
    assert await _suspicious(sample) == [
        GivenAnswer(TENANT, each.id) for each in (bad, handed, caught, mended)
    ]
    now = clock.now() + timedelta(seconds=1)
    assert await _suspicious(AnswerSample(database, since=now, until=now)) == []


async def test_what_an_evaluation_asked_is_no_traffic(
    sample: AnswerSample, say: Say, database: Database
) -> None:
    asked = await say("Is it so?", idempotency_key="req_1")
    await say("A golden case.", idempotency_key=new_id(EVALUATION_MESSAGE))
    await say("Not to be kept.", store=False)
    drawn = [GivenAnswer(TENANT, asked.id, is_drawn=True)]
    assert await sample.chosen(share=1.0, most=9, dice=Random(1)) == drawn


async def test_each_answer_is_as_likely_as_any_other_of_its_tenant(
    sample: AnswerSample, say: Say, database: Database, clock: ManualClock
) -> None:
    records = [await say(f"Question {n}.") for n in range(7)]
    theirs = [each.id for each in records[5:]]
    async with transaction(database.durable) as connection:
        query = update(message).where(message.c.id.in_(theirs)).values(tenant_id=_OTHER)
        await connection.execute(query)
    dice, drawn = Random(5), Counter[str]()
    for _ in range(60):
        some = await sample.chosen(share=1.0, most=2, dice=dice)
        assert Counter(each.tenant_id for each in some) == {TENANT: 2, _OTHER: 2}
        assert [each.tenant_id for each in some] == [TENANT, _OTHER] * 2
        drawn.update(each.response_id for each in some)
    assert {*drawn} == {each.id for each in records}
    assert min(drawn.values()) >= 12
    assert len(await sample.chosen(share=1.0, most=50, dice=dice)) == 7
    assert len(await sample.chosen(share=0.2, most=50, dice=dice)) == 2
    now = clock.now()
    hers = AnswerSample(
        database, since=now - timedelta(hours=1), until=now + timedelta(1), tenant_ids=[_OTHER]
    )
    assert {each.tenant_id for each in await hers.chosen(share=1.0, most=9, dice=dice)} == {_OTHER}
    bad = FeedbackVerdict(name="helpful", source="user", original=False, value=0.0)
    await FeedbackBook(database, clock).give(TENANT, records[0].id, bad)
    some = await sample.chosen(share=1.0, most=2, dice=Random(1))
    assert Counter((each.tenant_id, each.is_drawn) for each in some)[TENANT, True] == 2
    assert some[0].response_id == records[0].id
    again = [await sample.chosen(share=1.0, most=2, dice=Random(3)) for _ in range(2)]
    assert again[0] == again[1]
