"""Room in the fleet: how many more messages of each lane workers can be sent."""

from __future__ import annotations

from dataclasses import replace
from math import ceil
from typing import Final

from shared.dispatch.credit import LaneSlots
from shared.messages.lane import Lane
from shared.persistence.ledger.held.slot_counts import SlotCount
from workers.dispatch.flows.lane_policy import LANE_POLICIES
from workers.dispatch.lanes.ceilings import Ceilings

YIELDING: Final = frozenset(lane for lane, policy in LANE_POLICIES.items() if policy.yields)
"""Lanes whose turns give way to others."""


class FleetRoom:
    """Reckoned from one count of the ledger, less what is released since.

    Workers are sent up to `depth` times their slots, so that none waits for its next message; only
    as many as there are slots where batch messages run, which give way to who waits here and not
    to who waits in a queue. Batch messages are sent as far as their ceiling.
    """

    def __init__(self, slots: SlotCount, ceilings: Ceilings, *, depth: float, now: float) -> None:
        self.slots = slots = replace(slots, published=slots.published.copy())
        """The count, with what is taken since."""
        self._depth = {
            lane: ceilings.of(lane, now)
            if lane in YIELDING
            else (1.0 if slots.taken_from(lane, by=YIELDING) else depth)
            for lane in Lane
        }
        self._left = {
            lane: self._depth[lane] * slots.of(lane) - slots.taken_from(lane) for lane in Lane
        }

    def open(self) -> list[Lane]:
        """Lanes of which one more message can be released."""
        return [lane for lane, left in self._left.items() if left > 0]

    def take(self, lane: Lane) -> None:
        """One of this lane is released: it takes of others what they have in common."""
        self.slots.published[lane] += 1
        slots = self.slots.of(lane)
        for other in Lane:
            self._left[other] -= self.slots.of(lane, other) / slots if slots else 0.0

    def for_doors(self, backlog: frozenset[Lane]) -> dict[Lane, LaneSlots]:
        """What doors may publish of each lane that some worker reads.

        A lane counts itself and those that go before it: a flood of standard messages leaves
        interactive ones their credits, and their queue.
        """
        return {
            lane: LaneSlots(
                free=ceil(
                    self._depth[lane] * slots - self.slots.taken_from(lane, by=_before(lane))
                ),
                slots=ceil(self._depth[lane] * slots),
                has_backlog=lane in backlog,
            )
            for lane in Lane
            if (slots := self.slots.of(lane))
        }


def _before(lane: Lane) -> frozenset[Lane]:
    share = LANE_POLICIES[lane].share
    first = {other for other, policy in LANE_POLICIES.items() if policy.share >= share}
    return frozenset(first | YIELDING)
