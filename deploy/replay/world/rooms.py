"""Room in the fleet, as the real leader reckons it, remembered: most rounds are like another."""

from __future__ import annotations

from typing import Final

from deploy.replay.world.fleet import VirtualFleet
from shared.dispatch.credit import LaneSlots
from shared.messages.lane import Lane
from workers.dispatch.lanes.ceilings import Ceilings
from workers.dispatch.leading.fleet_room import FleetRoom

_REMEMBERED: Final = 50_000

_Busy = tuple[int, ...]


class RememberedRooms:
    """What `FleetRoom` says hangs on what is busy, on what was taken since, and on the ceilings."""

    def __init__(self, fleet: VirtualFleet, ceilings: Ceilings, *, depth: float) -> None:
        self._fleet = fleet
        self._ceilings = ceilings
        self._depth = depth
        self._open: dict[tuple[_Busy, float, tuple[Lane, ...]], list[Lane]] = {}
        self._doors: dict[tuple[_Busy, float, frozenset[Lane]], dict[Lane, LaneSlots]] = {}

    def open(self, taken: tuple[Lane, ...], busy: _Busy, now: float) -> list[Lane]:
        """Lanes of which one more may be released, where `busy` was counted and then these were
        taken."""
        key = busy, self._ceilings.of(Lane.BATCH, now), taken
        lanes = self._open.get(key)
        if lanes is None:
            room = self._room(now, busy)
            for lane in taken:
                room.take(lane)
            if len(self._open) >= _REMEMBERED:
                self._open.clear()
            lanes = self._open[key] = room.open()
        return lanes

    def for_doors(self, backlog: frozenset[Lane], now: float) -> dict[Lane, LaneSlots]:
        """What doors may publish of each lane."""
        busy = self._fleet.busy_by_lane
        key = busy, self._ceilings.of(Lane.BATCH, now), backlog
        lanes = self._doors.get(key)
        if lanes is None:
            if len(self._doors) >= _REMEMBERED:
                self._doors.clear()
            lanes = self._doors[key] = self._room(now, busy).for_doors(backlog)
        return lanes

    def _room(self, now: float, busy: _Busy) -> FleetRoom:
        return FleetRoom(self._fleet.count(busy), self._ceilings, depth=self._depth, now=now)
