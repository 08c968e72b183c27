"""What takes time beside turns: wake-ups on their way, slots that are taken again, releases."""

from __future__ import annotations

from bisect import bisect_left
from random import Random
from typing import Final

from deploy.replay.day.recorded_day import RecordedDay, RecordedMessage
from deploy.replay.world.measured_ways import Measured, measured_ways
from shared.resilience.periodic import GATHER_SECONDS

_NEAREST: Final = 16


class Ways:
    """As long as they took on the day, about then; nothing where the day does not say.

    A message that found a free slot on the day takes its own way.
    """

    def __init__(self, day: RecordedDay, random: Random) -> None:
        self._random = random
        self._measured = measured_ways(day)

    def of(self, message: RecordedMessage) -> float:
        """From acceptance to claim, where a slot is free."""
        own = self._measured.own.get(message.id)
        return self._near(self._measured.accepted, message.at) if own is None else own

    def of_release(self, at: float) -> float:
        """From release to claim, where a slot is free."""
        return self._near(self._measured.released or self._measured.accepted, at)

    def of_hold(self, message: RecordedMessage) -> float:
        """From acceptance to release, where there is room."""
        own = self._measured.own_hold.get(message.id)
        return self._near(self._measured.held, message.at) if own is None else own

    def release(self, at: float) -> float:
        """From what gave room, or from the pause after the last release, to the next one."""
        return self._near(self._measured.releases, at)

    def hearing(self, at: float) -> float:
        """From a message's being taken from its turn to the turn's end: its worker hears of it as
        the leader does of a held one, and gathers what else it is to hear."""
        return GATHER_SECONDS + self._near(self._measured.held, at)

    def turnover(self, at: float) -> float:
        """From the end of a turn to the next claim, where something lies in the queue."""
        return self._near(self._measured.turnovers, at)

    def _near(self, pool: list[Measured], at: float) -> float:
        if not pool:
            return 0.0
        place = bisect_left(pool, (at, 0.0))
        low, high = max(0, place - _NEAREST), min(len(pool), place + _NEAREST)
        return pool[self._random.randrange(low, high)][1]
