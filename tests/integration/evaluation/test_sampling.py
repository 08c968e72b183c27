"""What is judged of a time: all that is suspicious, and some of the rest."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from random import Random

import pytest
from sqlalchemy import insert, update

from deploy.cli.eval.cutting.sampling import AnswerSample
from shared.clock import ManualClock
from shared.feedback.book import FeedbackBook
from shared.feedback.verdict import FeedbackVerdict
from shared.persistence.engine import Database
from shared.persistence.statements import transaction
from shared.persistence.tables import HandoffState, attempt, handoff, message
from tests.integration.evaluation.conftest import TENANT, Say


@pytest.fixture
def sample(database: Database, clock: ManualClock) -> AnswerSample:
    return AnswerSample(database, clock, tenant_id=TENANT, since=clock.now())


async def test_what_is_suspicious_is_taken_whole(
    sample: AnswerSample, say: Say, database: Database, clock: ManualClock
) -> None:
    bad, handed, caught, _fine = [await say(f"Question {n}.") for n in range(4)]
    said = FeedbackVerdict(name="helpful", source="user", original=False, value=0.0)
    await FeedbackBook(database, clock).give(TENANT, bad.id, said)
    async with transaction(database.durable) as connection:
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
    assert await sample.suspicious() == [bad.id, handed.id, caught.id]
    later = AnswerSample(
        database, clock, tenant_id=TENANT, since=clock.now() + timedelta(seconds=1)
    )
    assert await later.suspicious() == []


async def test_each_answer_is_as_likely_as_any_other(
    sample: AnswerSample, say: Say, database: Database
) -> None:
    records = [await say(f"Question {n}.") for n in range(6)]
    others = {"tenant_id": "ten_2"}
    async with transaction(database.durable) as connection:
        await connection.execute(update(message).where(message.c.id == records[-1].id), others)
    dice, drawn = Random(5), Counter[str]()
    for _ in range(60):
        some = await sample.some(2, dice)
        assert len({*some}) == 2
        drawn.update(some)
    assert {*drawn} == {each.id for each in records[:-1]}
    assert min(drawn.values()) >= 12
    assert len(await sample.some(50, dice)) == 5
