"""The ledger on Postgres and on SQLite: accept, claim, settle, cancel, delete."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from shared.clock import ManualClock
from shared.errors import Conflict
from shared.messages.dead_letter import DeadReason
from shared.messages.record import MessageRecord
from shared.messages.state import ResponseState
from shared.persistence.dead_letters import DeadLetterRepository
from shared.persistence.engine import Database
from shared.persistence.ledger.claiming import ClaimGroup
from shared.persistence.ledger.message_ledger import MessageLedger
from shared.persistence.ledger.records import Accepted, AlreadyAccepted, AttemptRecord, Settlement
from shared.persistence.ledger.worker_lease import Lease
from shared.persistence.tables import attempt

from .conftest import NewMessage


def _completed(record: MessageRecord, clock: ManualClock, **changes: object) -> Settlement:
    fields: dict[str, object] = {
        "message_id": record.id,
        "tenant_id": record.tenant_id,
        "attempt": record.attempt,
        "state": ResponseState.COMPLETED,
        "finished_at": clock.now(),
        "output_text": "A basin in front of turbines.",
    }
    return Settlement(**(fields | changes))  # type: ignore[arg-type]


async def test_a_message_travels_from_accept_to_its_answer(
    ledger: MessageLedger, claims: ClaimGroup, clock: ManualClock, new_message: NewMessage
) -> None:
    record = new_message(user_id="u1", traceparent="00-a-b-01")
    assert await ledger.accept(record) == Accepted(record)
    (claimed,) = await claims.flush([record.id])
    assert claimed is not None
    assert (claimed.state, claimed.attempt) == (ResponseState.IN_PROGRESS, 1)
    assert (claimed.body, claimed.user_id, claimed.deadline) == (record.body, "u1", record.deadline)
    assert await ledger.settle(_completed(claimed, clock, input_tokens=7))
    found = await ledger.find(record.id, tenant_id="ten_1")
    assert found is not None
    assert found.state is ResponseState.COMPLETED
    assert (found.output_text, found.input_tokens) == ("A basin in front of turbines.", 7)
    assert await ledger.find(record.id, tenant_id="ten_2") is None


async def test_one_key_names_one_message_however_often_it_is_posted(
    ledger: MessageLedger, new_message: NewMessage
) -> None:
    posts = [new_message(idempotency_key="k") for _ in range(20)]
    outcomes = await asyncio.gather(*(ledger.accept(post) for post in posts))
    accepted = [outcome for outcome in outcomes if isinstance(outcome, Accepted)]
    assert len(accepted) == 1
    again = [outcome for outcome in outcomes if isinstance(outcome, AlreadyAccepted)]
    assert {(item.message_id, item.same_body) for item in again} == {(accepted[0].record.id, True)}
    other = await ledger.accept(new_message(idempotency_key="k", body_digest="d2"))
    assert other == AlreadyAccepted(accepted[0].record.id, same_body=False)
    elsewhere = new_message(idempotency_key="k", tenant_id="ten_2")
    assert await ledger.accept(elsewhere) == Accepted(elsewhere)


async def test_a_message_is_claimed_by_one_worker_only(
    ledger: MessageLedger, database: Database, clock: ManualClock, new_message: NewMessage
) -> None:
    record = new_message()
    await ledger.accept(record)
    workers = [
        ClaimGroup(database, clock, worker=f"worker-{number}", lease_seconds=15)
        for number in range(5)
    ]
    taken = await asyncio.gather(*(worker.flush([record.id, record.id]) for worker in workers))
    assert sum(found is not None for pair in taken for found in pair) == 1


async def test_a_message_is_not_claimed_before_its_time(
    ledger: MessageLedger, claims: ClaimGroup, clock: ManualClock, new_message: NewMessage
) -> None:
    record = new_message(not_before=clock.now() + timedelta(seconds=30))
    await ledger.accept(record)
    assert await claims.flush([record.id]) == [None]
    clock.advance(30)
    (claimed,) = await claims.flush([record.id])
    assert claimed is not None


async def test_the_next_claim_is_told_what_went_wrong_before_and_the_end_forgets_it(
    ledger: MessageLedger, claims: ClaimGroup, clock: ManualClock, new_message: NewMessage
) -> None:
    record = new_message()
    await ledger.accept(record)
    (first,) = await claims.flush([record.id])
    assert first is not None
    await claims.release(Lease(first.id, first.attempt), fault="ZeroDivisionError")

    (second,) = await claims.flush([record.id])
    assert second is not None
    assert second.error_message == "ZeroDivisionError"
    await ledger.settle(_completed(second, clock))
    ended = await ledger.find(record.id)
    assert ended is not None
    assert ended.error_message is None


async def test_a_worker_that_lost_its_lease_cannot_write(
    ledger: MessageLedger,
    claims: ClaimGroup,
    database: Database,
    clock: ManualClock,
    new_message: NewMessage,
    sweeps: object,
) -> None:
    record = new_message()
    await ledger.accept(record)
    (first,) = await claims.flush([record.id])
    clock.advance(20)
    assert await sweeps.expire_leases() == ([record.id], [])  # type: ignore[attr-defined]
    second_worker = ClaimGroup(database, clock, worker="worker-2", lease_seconds=15)
    (second,) = await second_worker.flush([record.id])
    assert first is not None
    assert second is not None
    assert await claims.renew([Lease(record.id, first.attempt)]) == set()
    late, current = await asyncio.gather(
        ledger.settle(_completed(first, clock, output_text="late")),
        ledger.settle(_completed(second, clock, output_text="current")),
    )
    assert (late, current) == (False, True)
    found = await ledger.find(record.id)
    assert found is not None
    assert found.output_text == "current"


async def test_the_first_end_wins(
    ledger: MessageLedger, claims: ClaimGroup, clock: ManualClock, new_message: NewMessage
) -> None:
    record = new_message()
    await ledger.accept(record)
    (claimed,) = await claims.flush([record.id])
    assert claimed is not None
    cancelled = await ledger.cancel(record.id, tenant_id="ten_1")
    assert cancelled is not None
    assert cancelled.state is ResponseState.CANCELLED
    assert not await ledger.settle(_completed(claimed, clock))
    assert await claims.renew([Lease(record.id, 1)]) == set()


async def test_attempts_are_kept_even_of_a_turn_that_lost(
    ledger: MessageLedger,
    claims: ClaimGroup,
    database: Database,
    clock: ManualClock,
    new_message: NewMessage,
) -> None:
    record = new_message()
    await ledger.accept(record)
    (claimed,) = await claims.flush([record.id])
    await ledger.cancel(record.id, tenant_id="ten_1")
    tried = AttemptRecord(
        provider="primary", model="m", started_at=clock.now(), latency_seconds=0.25
    )
    assert claimed is not None
    await ledger.settle(_completed(claimed, clock, attempts=(tried, tried)))
    async with database.relaxed.connect() as connection:
        booked = await connection.scalar(select(func.count()).select_from(attempt))
    assert booked == 2


async def test_a_failed_message_has_a_dead_letter(
    ledger: MessageLedger,
    claims: ClaimGroup,
    database: Database,
    clock: ManualClock,
    new_message: NewMessage,
) -> None:
    record = new_message()
    await ledger.accept(record)
    (claimed,) = await claims.flush([record.id])
    assert claimed is not None
    failed = _completed(
        claimed,
        clock,
        state=ResponseState.FAILED,
        output_text=None,
        error_message="Nobody could answer.",
        dead_reason=DeadReason.CHAIN_EXHAUSTED,
    )
    assert await ledger.settle(failed)
    (letter,) = await DeadLetterRepository(database, clock).list()
    assert (letter.reason, letter.message_id) == (DeadReason.CHAIN_EXHAUSTED, record.id)


async def test_only_an_ended_message_is_deleted(
    ledger: MessageLedger, new_message: NewMessage
) -> None:
    record = new_message()
    await ledger.accept(record)
    with pytest.raises(Conflict, match="Cancel it"):
        await ledger.delete(record.id, tenant_id="ten_1")
    assert not await ledger.delete(record.id, tenant_id="ten_2")
    await ledger.cancel(record.id, tenant_id="ten_1")
    assert await ledger.delete(record.id, tenant_id="ten_1")
    assert await ledger.find(record.id) is None


async def test_a_value_the_database_refuses_costs_its_neighbours_nothing(
    ledger: MessageLedger, database: Database, new_message: NewMessage
) -> None:
    if database.is_sqlite:
        pytest.skip("SQLite refuses no text.")
    good, bad = new_message(), new_message(user_id="x" * 300)
    outcomes = await asyncio.gather(ledger.accept(good), ledger.accept(bad), return_exceptions=True)
    assert outcomes[0] == Accepted(good)
    assert isinstance(outcomes[1], Exception)
