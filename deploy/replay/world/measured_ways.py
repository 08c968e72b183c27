"""What wake-ups, releases and slots that are taken again took on a day, measured in its times."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from deploy.replay.day.recorded_day import RecordedDay, RecordedMessage
from workers.dispatch.leading.fleet_room import YIELDING

_PAUSE: Final = 0.02
"""Of the leader, between two releases."""
_ROOM: Final = 0.7
"""Part of the slots below which every lane may start."""
_LONGEST: Final = 1.0
"""Seconds beyond which it was not this that was waited for."""

Measured = tuple[float, float]
"""When, and how long it took, in seconds."""
_Event = tuple[float, int, RecordedMessage]
_ACCEPTED, _PUBLISHED, _CLAIMED, _TAKEN, _ENDED = range(5)


@dataclass(slots=True)
class MeasuredWays:
    """Each in the order of its times; `own` are those of messages by their ids."""

    accepted: list[Measured] = field(default_factory=list)
    """From acceptance to claim, where a slot was free."""
    released: list[Measured] = field(default_factory=list)
    """From release to claim, where a slot was free."""
    held: list[Measured] = field(default_factory=list)
    """From acceptance to release, where there was room."""
    releases: list[Measured] = field(default_factory=list)
    """From what gave room, or the pause after the last release, to the next one."""
    turnovers: list[Measured] = field(default_factory=list)
    """From the end of a turn to the next claim, where something lay in the queue."""
    own: dict[str, float] = field(default_factory=dict)
    own_hold: dict[str, float] = field(default_factory=dict)


def measured_ways(day: RecordedDay) -> MeasuredWays:
    """All that the day says."""
    walk = _Walk(day.slots)
    for event in sorted(_events(day), key=lambda event: event[:2]):
        walk.see(*event)
    return walk.ways


class _Walk:
    """Through a day's events in their order."""

    def __init__(self, slots: int) -> None:
        self.ways = MeasuredWays()
        self._slots = slots
        self._held = self._hurried = self._published = self._running = 0
        self._ended_at: float | None = None
        self._room_at: float | None = None
        self._released_at = float("-inf")

    def see(self, at: float, kind: int, message: RecordedMessage) -> None:
        """The next one."""
        is_hurried = message.held and message.lane not in YIELDING
        if kind == _ACCEPTED:
            self._accepted(at, message)
            self._held, self._hurried = self._held + 1, self._hurried + is_hurried
        elif kind == _PUBLISHED:
            if self._busy < self._slots:
                self._free_slot(at, message)
            if message.held:
                self._release(at, is_hurried=is_hurried)
            self._published += 1
        elif kind == _CLAIMED:
            if self._ended_at is not None and at - self._ended_at < _LONGEST:
                self.ways.turnovers.append((self._ended_at, at - self._ended_at))
            self._published, self._running, self._ended_at = (
                self._published - 1,
                self._running + 1,
                None,
            )
        elif kind == _TAKEN:
            self._running += 1
        else:
            is_full = self._published > 0 and self._running >= self._slots
            self._ended_at = at if is_full else None
            self._running -= 1
        self._look_for_room(at)

    @property
    def _busy(self) -> int:
        return self._published + self._running

    def _accepted(self, at: float, message: RecordedMessage) -> None:
        lasts = message.released or 0.0
        # What waits longer was kept back by something else, such as the ceiling of its lane.
        if not self._held and self._busy < _ROOM * self._slots and lasts < _LONGEST:
            self.ways.own_hold[message.id] = lasts
            self.ways.held.append((at, lasts))

    def _free_slot(self, at: float, message: RecordedMessage) -> None:
        way = message.at + (message.waited or 0.0) - at
        if message.held:
            self.ways.released.append((at, way))
        else:
            self.ways.own[message.id] = way
            self.ways.accepted.append((at, way))

    def _release(self, at: float, *, is_hurried: bool) -> None:
        if is_hurried and self._room_at is not None and at > self._released_at:
            lasts = at - max(self._room_at, self._released_at + _PAUSE)
            if 0.0 <= lasts < _LONGEST:
                self.ways.releases.append((at, lasts))
        self._released_at, self._room_at = at, None
        self._held, self._hurried = self._held - 1, self._hurried - is_hurried

    def _look_for_room(self, at: float) -> None:
        """Whether somebody waits for the leader, and for nothing else."""
        if not self._hurried or self._busy >= self._slots:
            self._room_at = None
        elif self._room_at is None:
            self._room_at = at


def _events(day: RecordedDay) -> Iterator[_Event]:
    for each in day.messages:
        if each.waited is None or (each.held and each.released is None):
            continue
        claimed = each.at + each.waited
        if each.held:
            yield each.at, _ACCEPTED, each
        for began, over in each.earlier:
            yield each.at + began, _TAKEN, each
            yield each.at + over, _ENDED, each
        yield min(claimed, each.at + (each.released or 0.0)), _PUBLISHED, each
        yield claimed, _CLAIMED, each
        yield claimed + (each.took or 0.0), _ENDED, each
