"""Credits of the lanes, as credit.lua counts them."""

from __future__ import annotations

from collections.abc import Mapping

from shared.dispatch.credit import LaneSlots
from shared.messages.lane import Lane


class CreditRules:
    """How many messages of each lane may be handed to workers now.

    What the leader said lapses with its lease; then nobody dispatches.
    """

    def __init__(self) -> None:
        self._lanes: dict[Lane, LaneSlots] = {}
        self._lapses_at = 0.0

    def set(self, lanes: Mapping[Lane, LaneSlots], *, until: float) -> None:
        """How all lanes stand, instead of what was there. Doors get nothing of the batch lane."""
        self._lanes = {
            lane: LaneSlots(free, slots, has_backlog or lane is Lane.BATCH)
            for lane, (free, slots, has_backlog) in lanes.items()
        }
        self._lapses_at = until

    def take(self, lane: Lane, wanted: int, now: float) -> int | None:
        """How many a door may publish; None where nobody dispatches the lane."""
        told = self._told(lane, now)
        if told is None:
            return None
        taken = 0 if told.has_backlog else max(0, min(wanted, told.free))
        if taken:
            self._lanes[lane] = told._replace(free=told.free - taken)
        return taken

    def give(self, lane: Lane, back: int, now: float) -> None:
        """So many are free again: none beyond the slots that there are."""
        told = self._told(lane, now)
        if told is not None:
            free = max(told.free, min(told.free + back, told.slots))
            self._lanes[lane] = told._replace(free=free)

    def _told(self, lane: Lane, now: float) -> LaneSlots | None:
        return self._lanes.get(lane) if now < self._lapses_at else None
