"""What the reconciler and the janitor ask of the ledger."""

from __future__ import annotations

from datetime import timedelta

from shared.clock import ManualClock
from shared.messages.dead_letter import DeadReason
from shared.messages.lane import Lane
from shared.messages.state import ResponseState
from shared.persistence.dead_letters import DeadLetterRepository
from shared.persistence.engine import Database
from shared.persistence.ledger.claiming import ClaimGroup
from shared.persistence.ledger.lane_load import LaneLoads
from shared.persistence.ledger.message_ledger import MessageLedger
from shared.persistence.ledger.sweeping import LedgerSweeps
from shared.persistence.ledger.wait_notes import WaitCause
from shared.persistence.message_history import read_history

from .conftest import NewMessage


async def test_an_unclaimed_message_is_due_again_and_later_each_time(
    ledger: MessageLedger, sweeps: LedgerSweeps, clock: ManualClock, new_message: NewMessage
) -> None:
    record = new_message(traceparent="00-a-b-01")
    await ledger.accept(record)
    assert await sweeps.due() == []
    clock.advance(15)
    (due,) = await sweeps.due()
    assert (due.wake_up.message_id, due.wake_up.trace) == (record.id, {"traceparent": "00-a-b-01"})
    await sweeps.postpone([due])
    for pause in (15, 30, 60):
        clock.advance(pause - 1)
        assert await sweeps.due() == []
        clock.advance(1)
        (due,) = await sweeps.due()
        await sweeps.postpone([due])


async def test_a_held_message_is_due_to_nobody(
    ledger: MessageLedger, sweeps: LedgerSweeps, clock: ManualClock, new_message: NewMessage
) -> None:
    held = new_message(held_at=clock.now())
    await ledger.accept(held)
    clock.advance(900)
    assert await sweeps.due() == []
    found = await ledger.find(held.id)
    assert found is not None
    assert (found.held_at, found.released_at) == (held.held_at, None)
    assert await sweeps.wake_again(held.id)
    assert [due.wake_up.message_id for due in await sweeps.due()] == [held.id]


async def test_what_was_not_published_stays_due(
    ledger: MessageLedger, sweeps: LedgerSweeps, clock: ManualClock, new_message: NewMessage
) -> None:
    record = new_message()
    await ledger.accept(record)
    clock.advance(15)
    for _ in range(3):
        assert [due.wake_up.message_id for due in await sweeps.due()] == [record.id]
    later = new_message()
    await ledger.accept(later)
    assert len(await sweeps.due()) == 1
    assert len(await sweeps.due(by=clock.now() + timedelta(seconds=15))) == 2


async def test_a_silent_worker_loses_its_message_and_poison_is_dead_lettered(
    ledger: MessageLedger,
    sweeps: LedgerSweeps,
    claims: ClaimGroup,
    database: Database,
    clock: ManualClock,
    new_message: NewMessage,
) -> None:
    record = new_message()
    await ledger.accept(record)
    await claims.flush([record.id])
    assert await sweeps.expire_leases() == ([], [])
    clock.advance(16)
    assert await sweeps.expire_leases() == ([record.id], [])
    (note,) = (await read_history(database, record.id)).waits
    assert (note.cause, note.since) == (WaitCause.WORKER_SILENT, clock.now())
    assert [due.wake_up.message_id for due in await sweeps.due()] == [record.id]
    await claims.flush([record.id])
    clock.advance(16)
    again, poison = await sweeps.expire_leases()
    assert (again, [dead.id for dead in poison]) == ([], [record.id])
    assert poison[0].state is ResponseState.FAILED
    found = await ledger.find(record.id)
    assert found is not None
    assert found.state is ResponseState.FAILED
    (letter,) = await DeadLetterRepository(database, clock).list()
    assert letter.reason is DeadReason.ATTEMPTS_EXHAUSTED


async def test_a_message_nobody_wants_any_more_is_dead_lettered(
    ledger: MessageLedger,
    sweeps: LedgerSweeps,
    claims: ClaimGroup,
    database: Database,
    clock: ManualClock,
    new_message: NewMessage,
) -> None:
    record = new_message(deadline=clock.now() + timedelta(seconds=5))
    await ledger.accept(record)
    assert await sweeps.expire_deadlines() == []
    clock.advance(6)
    assert [late.id for late in await sweeps.expire_deadlines()] == [record.id]
    assert await claims.flush([record.id]) == [None]
    (letter,) = await DeadLetterRepository(database, clock).list()
    assert letter.reason is DeadReason.DEADLINE_PASSED


async def test_a_lane_says_how_it_stands(
    ledger: MessageLedger, database: Database, clock: ManualClock, new_message: NewMessage
) -> None:
    for _ in range(3):
        await ledger.accept(new_message(lane=Lane.INTERACTIVE))
    await ledger.accept(new_message(not_before=clock.now() + timedelta(hours=1)))
    clock.advance(4)
    ended = new_message(lane=Lane.BATCH)
    await ledger.accept(ended)
    await ledger.cancel(ended.id, tenant_id="ten_1")
    loads = await LaneLoads(database, clock).lane_loads()
    assert (loads[Lane.INTERACTIVE].queued, loads[Lane.INTERACTIVE].oldest_seconds) == (3, 4.0)
    assert loads[Lane.STANDARD].queued == 0
    assert loads[Lane.BATCH].drained_per_second > 0
