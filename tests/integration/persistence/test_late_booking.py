"""What was called after a message's end is booked once, and the message's cost knows it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import func, select

from shared.clock import ManualClock
from shared.messages.record import MessageRecord
from shared.persistence.engine import Database
from shared.persistence.ledger.message_ledger import MessageLedger
from shared.persistence.ledger.records import AttemptRecord
from shared.persistence.tables import attempt

from .conftest import AnswerMessage, NewMessage


@pytest.fixture
async def record(
    answer_message: AnswerMessage,
    ledger: MessageLedger,
    clock: ManualClock,
    new_message: NewMessage,
) -> MessageRecord:
    """One that has ended and was paid for."""
    half = Decimal("0.5")
    ended = await answer_message(new_message(), cost=half, attempts=(call(clock, half),))
    return await found(ledger, ended)


async def found(ledger: MessageLedger, record: MessageRecord) -> MessageRecord:
    stored = await ledger.find(record.id)
    assert stored is not None
    return stored


def call(clock: ManualClock, cost: Decimal | None) -> AttemptRecord:
    return AttemptRecord(
        provider="first", model="small", started_at=clock.now(), latency_seconds=0.1, cost=cost
    )


async def test_late_attempts_are_added_once(
    database: Database,
    ledger: MessageLedger,
    clock: ManualClock,
    record: MessageRecord,
) -> None:
    late = [call(clock, Decimal("0.25")), call(clock, Decimal("0.125"))]
    assert await ledger.book_late(record, late, first_ordinal=2)
    assert not await ledger.book_late(record, late, first_ordinal=2)
    assert (await found(ledger, record)).cost == Decimal("0.875")
    async with database.relaxed.connect() as connection:
        query = select(func.sum(attempt.c.cost)).where(attempt.c.tenant_id == record.tenant_id)
        assert await connection.scalar(query) == Decimal("0.875")


async def test_a_cost_that_is_unknown_makes_the_whole_unknown(
    ledger: MessageLedger, clock: ManualClock, record: MessageRecord
) -> None:
    late = [call(clock, Decimal("0.25")), call(clock, None)]
    assert await ledger.book_late(record, late, first_ordinal=2)
    assert (await found(ledger, record)).cost is None


async def test_what_was_paid_is_kept_when_its_message_is_deleted(
    database: Database,
    ledger: MessageLedger,
    clock: ManualClock,
    record: MessageRecord,
) -> None:
    await ledger.delete(record.id, tenant_id=record.tenant_id)
    assert await ledger.book_late(record, [call(clock, Decimal("0.25"))], first_ordinal=2)
    async with database.relaxed.connect() as connection:
        assert await connection.scalar(select(func.sum(attempt.c.cost))) == Decimal("0.75")
