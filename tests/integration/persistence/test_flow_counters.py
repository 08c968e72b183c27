"""What flows have used, and how many messages workers can hold."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from shared.clock import ManualClock
from shared.messages.lane import Lane
from shared.messages.state import ResponseState
from shared.persistence.engine import Database
from shared.persistence.ledger.claiming import ClaimGroup
from shared.persistence.ledger.held.flow_counters import LANE_ITSELF, FlowCounters, FlowKey
from shared.persistence.ledger.held.held_messages import HeldMessages
from shared.persistence.ledger.held.slot_counts import SlotCounts
from shared.persistence.ledger.message_ledger import MessageLedger
from shared.persistence.ledger.records import Settlement, TurnTab
from shared.persistence.ledger.worker_lease import WorkerOffer

from .conftest import NewHeld, NewMessage


@pytest.fixture
def counters(database: Database, clock: ManualClock) -> FlowCounters:
    return FlowCounters(database, clock)


async def test_charges_are_folded_once_into_counters_that_never_fall(
    ledger: MessageLedger,
    claims: ClaimGroup,
    counters: FlowCounters,
    new_held: NewHeld,
    clock: ManualClock,
) -> None:
    flow, lane = (Lane.STANDARD, "ten_1"), (Lane.STANDARD, LANE_ITSELF)
    assert await counters.fold(_no_floors, {}, weight_of=lambda _: 1.0) == []
    assert await counters.all() == {}
    for units in (30.0, 12.5):
        record = new_held()
        await ledger.accept(record)
        await claims.flush([record.id])
        end = Settlement(
            message_id=record.id,
            tenant_id="ten_1",
            lane=Lane.STANDARD,
            attempt=1,
            state=ResponseState.COMPLETED,
            finished_at=clock.now(),
            units=units,
        )
        assert await ledger.settle(end)
        assert await ledger.settle(end)  # its answer was lost: it is charged once
    asked: list[set[FlowKey]] = []

    def floors_of(keys: set[FlowKey]) -> dict[FlowKey, float]:
        asked.append(keys)
        return {flow: 100.0}

    folded = await counters.fold(floors_of, {lane: 7.0}, weight_of=lambda _: 2.0)
    assert asked == [{flow}]
    assert sorted(each.units for each in folded) == [12.5, 30.0]
    assert all(each.is_last for each in folded)
    assert await counters.all() == {flow: 121.25, lane: 7.0}
    assert await counters.fold(floors_of, {lane: 9.0}, weight_of=lambda _: 2.0) == []
    assert await counters.all() == {flow: 121.25, lane: 7.0}
    clock.advance(86_401)
    await counters.forget()
    assert await counters.all() == {lane: 7.0}


async def test_no_charge_is_written_for_a_turn_that_nobody_counts(
    answer_message: Callable[..., object], counters: FlowCounters, new_message: NewMessage
) -> None:
    await answer_message(new_message())  # type: ignore[misc]
    assert await counters.fold(_no_floors, {}, weight_of=lambda _: 1.0) == []


async def test_slots_are_those_of_living_workers_and_busy_is_what_runs_or_is_on_its_way(
    database: Database,
    ledger: MessageLedger,
    new_held: NewHeld,
    new_message: NewMessage,
    clock: ManualClock,
) -> None:
    held = HeldMessages(database, clock, wake_after_seconds=15)
    counts = SlotCounts(database, clock)
    every = WorkerOffer(8, [*Lane])
    batch = WorkerOffer(4, [Lane.BATCH])
    one, other = (
        ClaimGroup(database, clock, worker=f"worker-{n}", lease_seconds=15, offer=offer)
        for n, offer in enumerate((every, batch))
    )
    await other.renew([])
    clock.advance(1)
    runs, waits, later = new_held(), new_held(), new_held()
    direct = new_message(lane=Lane.INTERACTIVE)
    put_off = new_message(not_before=clock.now() + timedelta(seconds=60))
    for each in (runs, waits, later, direct, put_off):
        await ledger.accept(each)
    await held.release([runs.id, waits.id])
    await one.flush([runs.id])
    slots = await counts.now()
    assert {lane: slots.of(lane) for lane in Lane} == {
        Lane.INTERACTIVE: 8,
        Lane.STANDARD: 8,
        Lane.BATCH: 12,
    }
    assert {lane: slots.busy(lane) for lane in Lane} == {
        Lane.INTERACTIVE: 1,
        Lane.STANDARD: 2,
        Lane.BATCH: 0,
    }
    assert slots.running == {Lane.STANDARD: 1}
    assert await counts.now(slots.slots) == slots
    assert slots.taken_from(Lane.BATCH) == 3
    assert slots.taken_from(Lane.STANDARD, by=frozenset({Lane.BATCH})) == 0
    assert sorted(row.id for _, row in await counts.released(10)) == sorted([runs.id, waits.id])
    clock.advance(14.5)
    assert (await counts.now()).of(Lane.BATCH) == 8  # one has fallen silent
    assert (await counts.now(slots.slots)).of(Lane.BATCH) == 12  # as it was told


def _no_floors(_keys: set[FlowKey]) -> dict[FlowKey, float]:
    return {}


async def test_a_turn_that_runs_for_some_seconds_is_charged_by_its_time(
    claims: ClaimGroup, counters: FlowCounters, new_held: NewHeld
) -> None:
    tab = TurnTab(new_held(attempt=1))
    tab.began = 100.0
    await claims.charge([tab], 102.0)
    assert await counters.fold(_no_floors, {}, weight_of=lambda _: 1.0) == []
    for now in (105.0, 110.0):
        await claims.charge([tab], now)
    tab.is_closed = True
    await claims.charge([tab], 120.0)
    charges = await counters.fold(_no_floors, {}, weight_of=lambda _: 1.0)
    assert [(each.units, each.is_last) for each in charges] == [(600.0, False)] * 2
    assert tab.charged == 1_200.0
