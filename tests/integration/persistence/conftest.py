"""A migrated ledger on either database, and messages to put into it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from shared.clock import ManualClock
from shared.identifiers import new_response_id
from shared.messages.record import MessageRecord
from shared.messages.state import ResponseState
from shared.messages.turn_report import TurnReport, encode_report
from shared.outcomes.closing import OutcomeRound
from shared.persistence.engine import Database, open_database
from shared.persistence.ledger.claiming import ClaimGroup
from shared.persistence.ledger.message_ledger import MessageLedger
from shared.persistence.ledger.records import AttemptRecord, Settlement
from shared.persistence.ledger.sweeping import LedgerSweeps
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings
from shared.telemetry.metrics import Metrics
from tests.queued_message import queued_message

from .both_versions import BothVersions
from .door_before import DoorBefore
from .worker_before import WorkerBefore

NewMessage = Callable[..., MessageRecord]
NewHeld = Callable[..., MessageRecord]
AnswerMessage = Callable[..., Awaitable[MessageRecord]]
Talk = Callable[..., Awaitable[MessageRecord]]
Close = Callable[[], Awaitable[None]]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def settings(migrated_ledger_url: str) -> LedgerSettings:
    return LedgerSettings(url=ServerUrl(migrated_ledger_url), attempt_limit=2, timeout_seconds=60.0)


@pytest.fixture
async def database(settings: LedgerSettings) -> AsyncIterator[Database]:
    opened = open_database(settings)
    yield opened
    await opened.close()


@pytest.fixture
async def ledger(
    database: Database, settings: LedgerSettings, clock: ManualClock
) -> AsyncIterator[MessageLedger]:
    opened = MessageLedger(database, settings, clock, Metrics())
    yield opened
    await opened.close()


@pytest.fixture
def sweeps(database: Database, settings: LedgerSettings, clock: ManualClock) -> LedgerSweeps:
    return LedgerSweeps(database, settings, clock)


@pytest.fixture
def claims(database: Database, clock: ManualClock) -> ClaimGroup:
    return ClaimGroup(database, clock, worker="worker-1", lease_seconds=15)


@pytest.fixture
def both(
    database: Database,
    ledger: MessageLedger,
    claims: ClaimGroup,
    sweeps: LedgerSweeps,
    clock: ManualClock,
) -> BothVersions:
    door, worker = DoorBefore(database), WorkerBefore(database, clock)
    return BothVersions(ledger, claims, sweeps, door, worker)


@pytest.fixture
def new_message(clock: ManualClock) -> NewMessage:
    def build(**changes: object) -> MessageRecord:
        fields: dict[str, object] = {
            "id": new_response_id(),
            "body": '{"input":"What is a forebay?"}',
            "body_digest": "d1",
            "accepted_at": clock.now(),
            "deadline": clock.now() + timedelta(minutes=10),
        }
        return queued_message(**(fields | changes))

    return build


@pytest.fixture
def new_held(new_message: NewMessage, clock: ManualClock) -> NewHeld:
    def build(tenant: str = "ten_1", seconds: float = 600, **changes: object) -> MessageRecord:
        now = clock.now()
        fields = {"tenant_id": tenant, "held_at": now, "deadline": now + timedelta(seconds=seconds)}
        return new_message(**(fields | changes))

    return build


@pytest.fixture
def answer_message(ledger: MessageLedger, claims: ClaimGroup, clock: ManualClock) -> AnswerMessage:
    """Accepts a message, claims it and writes its end."""

    async def answer(record: MessageRecord, **ending: Any) -> MessageRecord:
        await ledger.accept(record)
        await claims.flush([record.id])
        of = {"message_id": record.id, "tenant_id": record.tenant_id, "attempt": 1}
        of |= {"state": ResponseState.COMPLETED, "finished_at": clock.now()}
        assert await ledger.settle(Settlement(**(of | ending)))
        return record

    return answer


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def talk(answer_message: AnswerMessage, new_message: NewMessage, clock: ManualClock) -> Talk:
    async def say(
        conversation: str | None,
        *costs: str | None,
        text: str = "?",
        state: ResponseState = ResponseState.COMPLETED,
        variant: str | None = None,
        **told: Any,
    ) -> MessageRecord:
        """One turn with an attempt for each cost."""
        attempts = tuple(
            AttemptRecord(
                provider="p",
                model="m",
                started_at=clock.now(),
                latency_seconds=1.0,
                cost=None if cost is None else Decimal(cost),
            )
            for cost in costs
        )
        body = msgspec.json.encode({"input": text}).decode()
        record = new_message(conversation_id=conversation, body=body)
        handoff = "why" if state is ResponseState.REQUIRES_ACTION else None
        clock.advance(1)
        return await answer_message(
            record,
            state=state,
            attempts=attempts,
            model="m",
            answered_by="p",
            handoff_reason=handoff,
            variant=variant,
            report=encode_report(TurnReport(**told)) if told else None,
        )

    return say


@pytest.fixture
def close(
    database: Database, settings: LedgerSettings, metrics: Metrics, clock: ManualClock
) -> Close:
    async def once() -> None:
        # Another process each time: what it knows is in the ledger.
        a_round = OutcomeRound(database, settings, metrics, clock, version="1.2.3")
        for _ in range(4):
            await a_round(limit=7)

    return once
