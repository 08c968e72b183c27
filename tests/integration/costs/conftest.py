"""A ledger on either database into which turns have been settled."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from decimal import Decimal

import pytest

from shared.clock import Clock, ManualClock
from shared.identifiers import new_response_id
from shared.messages.lane import Lane
from shared.messages.record import MessageRecord
from shared.messages.state import ResponseState
from shared.persistence.engine import Database, open_database
from shared.persistence.ledger.claiming import ClaimGroup
from shared.persistence.ledger.message_ledger import MessageLedger
from shared.persistence.ledger.records import AttemptRecord, Settlement
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings
from shared.telemetry.metrics import Metrics
from tests.queued_message import queued_message

SettleTurn = Callable[..., Awaitable[MessageRecord]]
LONGEST_TEST_SECONDS = 120


@pytest.fixture(autouse=True)
def one_day() -> None:
    """A budget is one of a day by UTC: no test begins where it would end on the next."""
    left = 86_400 - time.time() % 86_400
    if left < LONGEST_TEST_SECONDS:
        time.sleep(left)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def database(migrated_ledger_url: str) -> AsyncIterator[Database]:
    opened = open_database(LedgerSettings(url=ServerUrl(migrated_ledger_url)))
    yield opened
    await opened.close()


@pytest.fixture
async def ledger(database: Database, clock: Clock) -> AsyncIterator[MessageLedger]:
    settings = LedgerSettings()
    opened = MessageLedger(database, settings, clock, Metrics())
    yield opened
    await opened.close()


@pytest.fixture
def settle_turn(database: Database, ledger: MessageLedger, clock: Clock) -> SettleTurn:
    """Accepts a message, claims it and settles it with attempts of the given costs."""
    claims = ClaimGroup(database, clock, worker="w", lease_seconds=15)

    async def settle(
        *costs: str | None,
        tenant: str = "ten_1",
        user: str | None = None,
        lane: Lane = Lane.STANDARD,
        model: str = "m",
    ) -> MessageRecord:
        record = queued_message(
            id=new_response_id(),
            tenant_id=tenant,
            user_id=user,
            lane=lane,
            accepted_at=clock.now(),
            deadline=clock.now() + timedelta(minutes=10),
        )
        await ledger.accept(record)
        (claimed,) = await claims.flush([record.id])
        assert isinstance(claimed, MessageRecord)
        assert await ledger.settle(_settlement(claimed, costs, model, clock))
        found = await ledger.find(record.id)
        assert found is not None
        return found

    return settle


def _settlement(
    record: MessageRecord, costs: tuple[str | None, ...], model: str, clock: Clock
) -> Settlement:
    attempts = tuple(
        AttemptRecord(
            provider="first",
            model=model,
            started_at=clock.now(),
            latency_seconds=0.1,
            error_class="timeout" if cost is None else None,
            input_tokens=None if cost is None else 10,
            cached_tokens=None if cost is None else 4,
            cache_write_tokens=None if cost is None else 2,
            reasoning_tokens=None if cost is None else 3,
            output_tokens=None if cost is None else 5,
            cost=None if cost is None else Decimal(cost),
        )
        for cost in costs
    )
    return Settlement(
        message_id=record.id,
        tenant_id=record.tenant_id,
        user_id=record.user_id,
        lane=record.lane,
        attempt=record.attempt,
        state=ResponseState.COMPLETED,
        finished_at=clock.now(),
        attempts=attempts,
        cost=sum((Decimal(cost) for cost in costs if cost), Decimal(0)),
    )
