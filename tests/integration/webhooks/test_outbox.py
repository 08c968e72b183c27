"""An event is in the outbox exactly where its end is in the ledger, whoever wrote that."""

from __future__ import annotations

import msgspec
import pytest

from shared.batches.batch import BatchFault
from shared.batches.catalogue import BatchCatalogue
from shared.batches.work import BatchWork
from shared.clock import ManualClock
from shared.erasing.erasing import open_erasing
from shared.erasing.tables import ErasureSubject
from shared.identifiers import WEBHOOK_EVENT, sibling_id
from shared.messages.record import MessageRecord
from shared.messages.state import TERMINAL, ResponseState
from shared.persistence.engine import Database
from shared.persistence.handoffs import HandoffRepository
from shared.persistence.ledger.claiming import ClaimGroup
from shared.persistence.ledger.message_ledger import MessageLedger
from shared.persistence.ledger.records import Settlement
from shared.persistence.ledger.settlement.end_events import TYPE_OF, EndEvents
from shared.persistence.ledger.settlement.event_tables import EventType
from shared.persistence.ledger.sweeping import LedgerSweeps
from shared.persistence.ledger.worker_lease import Lease
from shared.persistence.statements import transaction
from shared.settings import Settings
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings, RedisSettings
from tests.integration.persistence.conftest import AnswerMessage, NewMessage
from tests.integration.webhooks.conftest import ToldTenant, new_batch

URL = "https://example.com/hook"


@pytest.fixture(autouse=True)
async def subscribed(told: ToldTenant, ledger: MessageLedger) -> None:
    await told.endpoint(URL)
    await ledger.subscribers.refresh()


async def _require_one(told: ToldTenant, record: MessageRecord, state: ResponseState) -> None:
    (event,) = await told.events()
    assert event.id == sibling_id(WEBHOOK_EVENT, record.id)
    assert (event.tenant_id, event.message_id) == (told.tenant.id, record.id)
    assert (event.type, event.batch_id) == (TYPE_OF[state], None)
    assert event.created_at == event.due_at


@pytest.mark.parametrize("state", sorted(TERMINAL))
async def test_the_end_of_a_turn_is_told_in_its_words(
    told: ToldTenant, new_message: NewMessage, answer_message: AnswerMessage, state: ResponseState
) -> None:
    record = await answer_message(new_message(tenant_id=told.tenant.id), state=state)
    await _require_one(told, record, state)


async def test_an_end_that_is_not_written_is_not_told_and_one_written_twice_is_told_once(
    told: ToldTenant,
    ledger: MessageLedger,
    claims: ClaimGroup,
    clock: ManualClock,
    new_message: NewMessage,
) -> None:
    record = new_message(tenant_id=told.tenant.id)
    await ledger.accept(record)
    await claims.flush([record.id])
    end = Settlement(
        message_id=record.id,
        tenant_id=told.tenant.id,
        attempt=1,
        state=ResponseState.COMPLETED,
        finished_at=clock.now(),
    )
    assert not await ledger.settle(msgspec.structs.replace(end, attempt=2))
    assert await told.events() == []
    assert await ledger.settle(end)
    assert await ledger.settle(end)
    await _require_one(told, record, ResponseState.COMPLETED)


async def test_other_tenants_and_messages_that_a_human_has_are_not_told_of(
    told: ToldTenant,
    database: Database,
    clock: ManualClock,
    new_message: NewMessage,
    answer_message: AnswerMessage,
    ledger: MessageLedger,
) -> None:
    await answer_message(new_message())
    cancelled = new_message()
    await ledger.accept(cancelled)
    await ledger.cancel(cancelled.id, tenant_id=cancelled.tenant_id)
    with_human = new_message(tenant_id=told.tenant.id)
    await answer_message(
        with_human, state=ResponseState.REQUIRES_ACTION, handoff_reason="It is not sure."
    )
    assert await told.events() == []
    inbox = HandoffRepository(database, clock)
    (waiting,) = await inbox.list()
    await inbox.answer(waiting.id, text="It is.", answered_by="ann")
    await _require_one(told, with_human, ResponseState.COMPLETED)


async def test_a_cancelled_message_is_told_of_once(
    told: ToldTenant, ledger: MessageLedger, new_message: NewMessage
) -> None:
    record = new_message(tenant_id=told.tenant.id)
    await ledger.accept(record)
    for _ in range(2):
        await ledger.cancel(record.id, tenant_id=told.tenant.id)
    await _require_one(told, record, ResponseState.CANCELLED)


async def test_what_the_sweeps_fail_is_told_of(
    told: ToldTenant,
    ledger: MessageLedger,
    claims: ClaimGroup,
    sweeps: LedgerSweeps,
    clock: ManualClock,
    new_message: NewMessage,
) -> None:
    late, poison = (new_message(tenant_id=told.tenant.id) for _ in range(2))
    await ledger.accept(poison)
    await claims.flush([poison.id])
    await claims.release(Lease(poison.id, 1))
    await claims.flush([poison.id])
    clock.advance(60)
    _, (failed,) = await sweeps.expire_leases()
    assert failed.id == poison.id
    await ledger.accept(late)
    clock.advance(3_600)
    assert [each.id for each in await sweeps.expire_deadlines()] == [late.id]
    events = {event.message_id: event.type for event in await told.events()}
    assert events == dict.fromkeys((late.id, poison.id), EventType.RESPONSE_FAILED)


async def test_what_an_erasure_cancels_is_told_of(
    told: ToldTenant,
    database: Database,
    ledger: MessageLedger,
    settings: LedgerSettings,
    redis_url: str,
    clock: ManualClock,
    new_message: NewMessage,
) -> None:
    record = new_message(tenant_id=told.tenant.id, user_id="ann")
    await ledger.accept(record)
    clock.advance(60)  # its id is by the time of day
    whole = Settings(ledger=settings, redis=RedisSettings(url=ServerUrl(redis_url)))
    async with open_erasing(whole, database, clock) as erasing:
        await erasing.erasures.begin(told.tenant.id, ErasureSubject.USER, "ann")
        await erasing()
    await _require_one(told, record, ResponseState.CANCELLED)


async def test_a_batch_is_told_of_in_the_transaction_of_its_end_or_not_at_all(
    told: ToldTenant, database: Database, clock: ManualClock
) -> None:
    events = EndEvents(database)
    whose = {"batch_id": "batch_1", "tenant_id": told.tenant.id, "now": clock.now()}

    async def broken_off() -> None:
        async with transaction(database.durable) as connection:
            await connection.run_sync(events.add_batch, kind=EventType.BATCH_EXPIRED, **whose)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await broken_off()
    assert await told.events() == []
    for _ in range(2):
        async with transaction(database.durable) as connection:
            await connection.run_sync(events.add_batch, kind=EventType.BATCH_EXPIRED, **whose)
            other = {**whose, "batch_id": "batch_2", "tenant_id": "ten_other"}
            await connection.run_sync(events.add_batch, kind=EventType.BATCH_COMPLETED, **other)
    (event,) = await told.events()
    assert (event.batch_id, event.message_id) == ("batch_1", None)
    assert (event.id, event.type) == ("evt_1", EventType.BATCH_EXPIRED)


async def test_a_batch_that_is_refused_is_told_of_and_one_that_begins_is_not(
    told: ToldTenant, database: Database, clock: ManualClock, ledger: MessageLedger
) -> None:
    batches, work = BatchCatalogue(database, clock), BatchWork(database, clock, ledger.accepting)
    begun, refused = [await batches.create(new_batch(told, f"c{n}")) for n in range(2)]
    assert await work.begin(begun, total=1, model=None, estimate=None)
    for _ in range(2):
        await work.refuse(refused, [])
    (event,) = await told.events()
    assert (event.batch_id, event.type) == (refused.id, EventType.BATCH_FAILED)
    assert event.tenant_id == told.tenant.id


async def test_a_batch_that_has_failed_as_soon_as_it_is_there_is_told_of_once(
    told: ToldTenant, database: Database, clock: ManualClock
) -> None:
    batches, faults = BatchCatalogue(database, clock), (BatchFault("unsupported", "Not here."),)
    made, again = [await batches.create(new_batch(told), faults=faults) for _ in range(2)]
    (event,) = await told.events()
    assert (event.batch_id, event.type) == (made.id, EventType.BATCH_FAILED)
    assert again == made
