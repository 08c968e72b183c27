"""Messages that wait for the dispatcher, as the ledger gives them to it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.clock import ManualClock
from shared.messages.lane import Lane
from shared.messages.state import ResponseState
from shared.persistence.engine import Database
from shared.persistence.ledger.claiming import ClaimGroup
from shared.persistence.ledger.held.held_messages import GivenBack, HeldMessages
from shared.persistence.ledger.held.held_rows import HeldRow
from shared.persistence.ledger.message_ledger import MessageLedger
from shared.persistence.ledger.records import Settlement
from shared.persistence.ledger.sweeping import LedgerSweeps
from shared.persistence.ledger.wait_notes import WaitCause, WaitNote
from shared.persistence.message_history import read_history

from .conftest import NewHeld, NewMessage


@pytest.fixture
def held(database: Database, clock: ManualClock) -> HeldMessages:
    return HeldMessages(database, clock, wake_after_seconds=15)


async def test_the_first_of_each_flow_are_given_by_their_deadlines(
    held: HeldMessages, ledger: MessageLedger, new_held: NewHeld, new_message: NewMessage
) -> None:
    first, second, third = new_held("a", 10), new_held("a", 20), new_held("a", 30)
    other, batch = new_held("b", 5), new_held("a", 1, lane=Lane.BATCH)
    for record in (third, other, batch, first, second, new_message(tenant_id="c")):
        await ledger.accept(record)
    rows = await held.heads(2)
    assert sorted((row.lane, row.tenant_id) for row in rows) == [
        (Lane.BATCH, "a"),
        *[(Lane.STANDARD, "a")] * 2,
        (Lane.STANDARD, "b"),
    ]
    of_a = [row for row in rows if (row.lane, row.tenant_id) == (Lane.STANDARD, "a")]
    assert [row.id for row in of_a] == [first.id, second.id]
    assert of_a[0] == HeldRow(
        first.id,
        Lane.STANDARD,
        "a",
        first.accepted_at,
        first.deadline,
        first.estimated_tokens,
        first.attempt,
    )
    assert [row.id for row in await held.following(of_a[-1], 10)] == [third.id]
    assert await held.counted() == {
        (Lane.STANDARD, "a"): 3,
        (Lane.STANDARD, "b"): 1,
        (Lane.BATCH, "a"): 1,
    }


async def test_equal_deadlines_stand_in_the_order_of_their_ids(
    held: HeldMessages, ledger: MessageLedger, new_held: NewHeld, clock: ManualClock
) -> None:
    deadline = clock.now() + timedelta(hours=1)
    records = [new_held(deadline=deadline) for _ in range(5)]
    for record in reversed(records):
        await ledger.accept(record)
    (first, second) = await held.heads(2)
    rest = await held.following(second, 10)
    assert [first.id, second.id, *(row.id for row in rest)] == sorted(each.id for each in records)


async def test_what_arrived_is_found_by_when_it_was_held(
    held: HeldMessages, ledger: MessageLedger, new_held: NewHeld, clock: ManualClock
) -> None:
    await ledger.accept(new_held())
    clock.advance(1)
    since = clock.now()
    later = new_held()
    await ledger.accept(later)
    assert [(at, row.id) for at, row in await held.arrived(since, 10)] == [(since, later.id)]
    assert len(await held.arrived(since - timedelta(seconds=1), 10)) == 2
    assert len(await held.arrived(since - timedelta(seconds=1), 1)) == 1


async def test_a_message_is_released_once_and_is_due_where_its_wake_up_is_lost(
    held: HeldMessages,
    ledger: MessageLedger,
    sweeps: LedgerSweeps,
    claims: ClaimGroup,
    new_held: NewHeld,
    clock: ManualClock,
) -> None:
    record, cancelled = new_held(traceparent="00-a-b-01"), new_held()
    for each in (record, cancelled):
        await ledger.accept(each)
    await ledger.cancel(cancelled.id, tenant_id="ten_1")
    (wake_up,) = await held.release([record.id, cancelled.id, "resp_unknown"])
    assert (wake_up.message_id, wake_up.lane) == (record.id, Lane.STANDARD)
    assert wake_up.trace == {"traceparent": "00-a-b-01"}
    assert await held.release([record.id]) == []
    assert await held.heads(5) == []
    assert await sweeps.due() == []
    clock.advance(15)
    assert [due.wake_up.message_id for due in await sweeps.due()] == [record.id]
    (claimed,) = await claims.flush([record.id])
    assert claimed is not None
    assert claimed.released_at == clock.now() - timedelta(seconds=15)


async def test_a_held_message_expires_as_others_do(
    held: HeldMessages,
    ledger: MessageLedger,
    sweeps: LedgerSweeps,
    new_held: NewHeld,
    clock: ManualClock,
) -> None:
    record = new_held(seconds=5)
    await ledger.accept(record)
    clock.advance(6)
    assert [each.id for each in await sweeps.expire_deadlines()] == [record.id]
    assert await held.heads(1) == []


async def test_a_batch_turn_gives_way_and_its_worker_finds_its_lease_lost(
    database: Database,
    held: HeldMessages,
    ledger: MessageLedger,
    claims: ClaimGroup,
    new_held: NewHeld,
    clock: ManualClock,
) -> None:
    batch, standard = new_held(lane=Lane.BATCH), new_held()
    for each in (batch, standard):
        await ledger.accept(each)
    waited = WaitNote(cause=WaitCause.CEILING, since=clock.now(), why="So much was taken.")
    await held.release([batch.id, standard.id], notes={batch.id: waited.line()})
    assert await held.give_back(batch.id, attempts=2) is None  # no turn of it runs
    (record, _) = await claims.flush([batch.id, standard.id])
    assert record is not None
    given = await held.give_back(batch.id, attempts=2)
    assert given == GivenBack(batch.id, 1, "worker-1")
    assert await held.give_back(standard.id, attempts=2) is None
    assert [row.id for row in await held.heads(5)] == [batch.id]
    late = Settlement(
        message_id=batch.id,
        tenant_id="ten_1",
        attempt=1,
        state=ResponseState.COMPLETED,
        finished_at=clock.now(),
    )
    assert not await ledger.settle(late)
    await held.release([batch.id])
    (again,) = await claims.flush([batch.id])
    assert again is not None
    assert again.attempt == 2
    assert await held.give_back(batch.id, attempts=1) is None  # it may be tried no more often
    noted, gave_way = (await read_history(database, batch.id)).waits
    assert noted == waited
    assert gave_way.cause is WaitCause.GAVE_WAY
    assert (await read_history(database, standard.id)).waits == []


async def test_what_can_wait_is_left_to_batches_for_a_while(
    database: Database, ledger: MessageLedger, new_held: NewHeld, clock: ManualClock
) -> None:
    left = HeldMessages(database, clock, wake_after_seconds=15, batches_first_seconds=30)
    now, day = clock.now(), clock.now() + timedelta(days=1)
    waits = new_held("a", deadline=day, lane=Lane.BATCH)
    urgent = new_held("a", deadline=now + timedelta(minutes=2), lane=Lane.BATCH)
    other = new_held("a", deadline=day)
    for record in (waits, urgent, other):
        await ledger.accept(record)

    assert {row.id for row in await left.heads(9)} == {urgent.id, other.id}
    assert {row.id for _, row in await left.arrived(now, 9)} == {urgent.id, other.id}
    clock.advance(30)
    assert {row.id for row in await left.heads(9)} == {waits.id, urgent.id, other.id}
