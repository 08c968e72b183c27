"""How many more messages of each lane workers are sent."""

from __future__ import annotations

from collections import Counter

from shared.messages.lane import Lane
from shared.persistence.ledger.held.slot_counts import SlotCount
from workers.dispatch.flows.lane_policy import LANE_POLICIES
from workers.dispatch.lanes.ceilings import Ceilings
from workers.dispatch.lanes.waste import WasteBudget
from workers.dispatch.leading.fleet_room import FleetRoom

EVERY = frozenset(Lane)


def room_of(slots: SlotCount) -> FleetRoom:
    ceilings = Ceilings(LANE_POLICIES, WasteBudget())
    return FleetRoom(slots, ceilings, depth=1.5, now=0.0)


def released(room: FleetRoom, lane: Lane) -> int:
    number = 0
    while lane in room.open():
        room.take(lane)
        number += 1
    return number


def test_workers_are_sent_more_than_their_slots_but_no_batch_messages() -> None:
    slots = SlotCount(slots=Counter({EVERY: 10}))
    assert released(room_of(slots), Lane.STANDARD) == 15
    assert released(room_of(slots), Lane.BATCH) == 9


def test_lanes_share_their_slots() -> None:
    slots = SlotCount(slots=Counter({EVERY: 10}), running=Counter({Lane.STANDARD: 8}))
    assert released(room_of(slots), Lane.BATCH) == 1
    assert released(room_of(slots), Lane.INTERACTIVE) == 7


def test_beside_batch_messages_nothing_is_sent_ahead_of_a_slot() -> None:
    slots = SlotCount(slots=Counter({EVERY: 10}), running=Counter({Lane.BATCH: 6}))
    assert released(room_of(slots), Lane.INTERACTIVE) == 4


def test_what_runs_on_workers_of_its_own_takes_no_slot_of_others() -> None:
    slots = SlotCount(
        slots=Counter({frozenset({Lane.BATCH}): 10, frozenset({Lane.INTERACTIVE}): 4}),
        running=Counter({Lane.BATCH: 10}),
    )
    assert released(room_of(slots), Lane.INTERACTIVE) == 6
    assert room_of(slots).open() == [Lane.INTERACTIVE]


def test_a_flood_of_standard_messages_leaves_interactive_ones_their_credits() -> None:
    slots = SlotCount(slots=Counter({EVERY: 10}), published=Counter({Lane.STANDARD: 15}))
    doors = room_of(slots).for_doors(frozenset({Lane.STANDARD}))
    assert (doors[Lane.STANDARD].free, doors[Lane.STANDARD].has_backlog) == (0, True)
    assert (doors[Lane.INTERACTIVE].free, doors[Lane.INTERACTIVE].has_backlog) == (15, False)


def test_a_lane_that_no_worker_reads_is_not_dispatched() -> None:
    slots = SlotCount(slots=Counter({frozenset({Lane.STANDARD}): 10}))
    assert room_of(slots).for_doors(frozenset()).keys() == {Lane.STANDARD}
    assert room_of(SlotCount()).for_doors(frozenset()) == {}


def test_doors_may_not_count_on_slots_that_were_taken_since_the_count() -> None:
    counted = SlotCount(slots=Counter({EVERY: 10}))
    room = room_of(counted)
    assert released(room, Lane.BATCH) == 9
    assert room_of(room.slots).for_doors(frozenset())[Lane.INTERACTIVE].free == 1
    assert counted.busy(Lane.BATCH) == 0, "what was counted stays as it was"
