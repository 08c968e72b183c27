"""A day out of the ledger, on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from sqlalchemy import insert

from deploy.replay.day.reading import read_day
from deploy.replay.day.refusals import with_refusals
from shared.identifiers import RESPONSE, first_id
from shared.messages.body import Body, encode_body
from shared.messages.lane import Lane
from shared.messages.record import RECORD_FIELDS, MessageRecord
from shared.messages.state import ResponseState
from shared.messages.turn_report import CacheKind, CacheReport, TurnReport, encode_report
from shared.persistence.engine import Database, open_database
from shared.persistence.statements import transaction
from shared.persistence.tables import attempt, message
from shared.rollups.delta import Delta, encode_delta
from shared.rollups.tables import rollup_delta
from shared.settings import Settings
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings
from tests.integration.rollups.facts import door_sums

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
DAY = NOON - timedelta(hours=12), NOON + timedelta(hours=12)


@pytest.fixture
async def database(migrated_ledger_url: str) -> AsyncIterator[Database]:
    opened = open_database(LedgerSettings(url=ServerUrl(migrated_ledger_url)))
    yield opened
    await opened.close()


def record(number: int, text: str, **changes: Any) -> MessageRecord:
    """Accepted so many seconds after noon, claimed two later, ended three after that."""
    at = NOON + timedelta(seconds=number)
    body = Body.says(text)
    return MessageRecord(
        **{
            "id": first_id(RESPONSE, at)[:-1] + "1",
            "tenant_id": "acme",
            "lane": Lane.STANDARD,
            "body": encode_body(body).decode(),
            "body_digest": f"{number:064x}",
            "accepted_at": at,
            "deadline": at + timedelta(minutes=10),
            "claimed_at": at + timedelta(seconds=2),
            "claimed_by": "worker",
            "finished_at": at + timedelta(seconds=5),
            "state": ResponseState.COMPLETED,
            "answered_by": "one",
            "output_text": "So it is.",
            "attempt": 1,
            **changes,
        }
    )


async def put(database: Database, *records: MessageRecord) -> None:
    async with transaction(database.durable) as connection:
        for each in records:
            values = {name: getattr(each, name) for name in RECORD_FIELDS}
            await connection.execute(insert(message).values(**values, wakes=0))
            await connection.execute(
                insert(attempt).values(
                    message_id=each.id,
                    claim=1,
                    ordinal=1,
                    provider="one",
                    model="m",
                    started_at=each.claimed_at,
                    latency_seconds=Decimal("2.5"),
                    input_tokens=10,
                    output_tokens=2,
                    cost=Decimal("0.000001"),
                )
            )


async def test_a_day_is_what_the_ledger_says_of_it(database: Database) -> None:
    stored = CacheReport(kind=CacheKind.EXACT, entry="cache_1", response_id="resp_1")
    await put(
        database,
        record(0, "What is a forebay?"),
        record(1, "What is a forebay?"),
        record(2, "My account 1234567?"),
        record(3, "Another?", report=encode_report(TurnReport(cache=stored))),
        record(4, "Had it given way?", attempt=2),
        record(200_000, "The day after?"),
    )

    day = await read_day(database, Settings(), since=DAY[0], until=DAY[1])

    first, second, personal, hit, again = day.messages
    assert first.key == second.key
    assert first.key is not None
    assert personal.key is None
    assert hit.hit is CacheKind.EXACT
    assert first.waited == pytest.approx(2.0)
    assert first.took == pytest.approx(3.0)
    (call,) = first.attempts
    assert (call.latency, call.cost) == (2.5, 1_000)
    assert again.attempts == ()
    assert again.earlier == ((2.0, 4.5),)
    assert first.may_be_kept
    assert day.slots == Settings().worker.concurrency


async def test_what_doors_refused_came_too(database: Database) -> None:
    await put(database, record(0, "Was it let in?"))
    refused = [
        door_sums(NOON, reason=reason, tenant_id="acme", count=number)
        for reason, number in (("rate_limited_requests", 7), ("idempotency_conflict", 2))
    ]
    async with transaction(database.durable) as connection:
        figures = encode_delta(Delta(additions=tuple(refused)))
        await connection.execute(insert(rollup_delta).values(id=1, figures=figures))

    day = await read_day(database, Settings(), since=DAY[0], until=DAY[1])
    day = await with_refusals(day, database, since=DAY[0], until=DAY[1])

    came = [each for each in day.messages if each.refused is not None]
    assert day.refusals_known
    assert {each.refused for each in came} == {"rate_limited_requests"}
    assert len(came) == 7
    assert all(each.tenant == "acme" and each.waited is None for each in came)
    (let_in,) = (each for each in day.messages if each.refused is None)
    # Not anywhere in its minute: it came with the others.
    assert all(abs(each.at - let_in.at) <= 1.0 for each in came)
    assert len({each.id for each in day.messages}) == len(day.messages)


async def test_a_body_that_nobody_can_read_any_more_is_a_message_all_the_same(
    database: Database,
) -> None:
    await put(database, record(0, "Erased?", body=""), record(1, "Whole?"))

    day = await read_day(database, Settings(), since=DAY[0], until=DAY[1])

    erased, whole = day.messages
    assert erased.key is None
    assert whole.key is not None
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(day), type=type(day)) == day
