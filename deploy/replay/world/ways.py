"""What takes time beside turns: wake-ups on their way, slots that are taken again, releases."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from random import Random
from typing import Final

from deploy.replay.day.recorded_day import RecordedDay, RecordedMessage
from shared.resilience.periodic import GATHER_SECONDS
from workers.dispatch.leading.fleet_room import YIELDING

_NEAREST: Final = 16
_PAUSE: Final = 0.02
"""Of the leader, between two releases."""
_ROOM: Final = 0.7
"""Part of the slots below which every lane may start."""
_LONGEST: Final = 1.0
"""Seconds beyond which a slot was not waited for, but nothing was there."""

_Event = tuple[float, int, RecordedMessage]
_ACCEPTED, _PUBLISHED, _CLAIMED, _TAKEN, _ENDED = 0, 1, 2, 3, 4


class Ways:
    """As long as they took on the day, about then; nothing where the day does not say.

    A message that found a free slot on the day takes its own way.
    """

    def __init__(self, day: RecordedDay, random: Random) -> None:
        self._random = random
        self._own: dict[str, float] = {}
        self._accepted: list[tuple[float, float]] = []
        self._released: list[tuple[float, float]] = []
        self._held: list[tuple[float, float]] = []
        self._own_hold: dict[str, float] = {}
        self._releases: list[tuple[float, float]] = []
        self._turnovers: list[tuple[float, float]] = []
        self._look(day)

    def of(self, message: RecordedMessage) -> float:
        """From acceptance to claim, where a slot is free."""
        own = self._own.get(message.id)
        return self._near(self._accepted, message.at) if own is None else own

    def of_release(self, at: float) -> float:
        """From release to claim, where a slot is free."""
        return self._near(self._released or self._accepted, at)

    def of_hold(self, message: RecordedMessage) -> float:
        """From acceptance to release, where there is room."""
        own = self._own_hold.get(message.id)
        return self._near(self._held, message.at) if own is None else own

    def release(self, at: float) -> float:
        """From what gave room, or from the pause after the last release, to the next one."""
        return self._near(self._releases, at)

    def hearing(self, at: float) -> float:
        """From a message's being taken from its turn to the turn's end: its worker hears of it as
        the leader does of a held one, and gathers what else it is to hear."""
        return GATHER_SECONDS + self._near(self._held, at)

    def turnover(self, at: float) -> float:
        """From the end of a turn to the next claim, where something lies in the queue."""
        return self._near(self._turnovers, at)

    def _near(self, pool: list[tuple[float, float]], at: float) -> float:
        if not pool:
            return 0.0
        place = bisect_left(pool, (at, 0.0))
        low, high = max(0, place - _NEAREST), min(len(pool), place + _NEAREST)
        return pool[self._random.randrange(low, high)][1]

    def _look(self, day: RecordedDay) -> None:
        held = hurried = published = running = 0
        ended_at = room_at = None
        released_at = float("-inf")
        for at, kind, message in sorted(_events(day), key=lambda event: event[:2]):
            is_hurried = message.held and message.lane not in YIELDING
            if kind == _ACCEPTED:
                lasts = message.released or 0.0
                if not held and published + running < _ROOM * day.slots and lasts < _LONGEST:
                    self._own_hold[message.id] = lasts
                    self._held.append((at, lasts))
                held, hurried = held + 1, hurried + is_hurried
            elif kind == _PUBLISHED:
                if published + running < day.slots:
                    self._free_slot(message, at)
                if is_hurried and room_at is not None and at > released_at:
                    lasts = at - max(room_at, released_at + _PAUSE)
                    if 0.0 <= lasts < _LONGEST:
                        self._releases.append((at, lasts))
                if message.held:
                    released_at = at
                held, hurried = held - message.held, hurried - is_hurried
                published += 1
            elif kind == _CLAIMED:
                if ended_at is not None and at - ended_at < _LONGEST:
                    self._turnovers.append((ended_at, at - ended_at))
                published, running, ended_at = published - 1, running + 1, None
            elif kind == _TAKEN:
                running += 1
            else:
                ended_at = at if published > 0 and running >= day.slots else None
                running -= 1
            if not hurried or published + running >= day.slots:
                room_at = None
            elif room_at is None or message.held and kind == _PUBLISHED:
                room_at = at

    def _free_slot(self, message: RecordedMessage, at: float) -> None:
        way = message.at + (message.waited or 0.0) - at
        if message.held:
            self._released.append((at, way))
        else:
            self._own[message.id] = way
            self._accepted.append((at, way))


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
