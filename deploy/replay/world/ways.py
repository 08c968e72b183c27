"""How long a wake-up takes to its worker where a slot is free."""

from __future__ import annotations

from bisect import bisect_left
from random import Random
from typing import Final

from deploy.replay.day.recorded_day import RecordedDay, RecordedMessage

_NEAREST: Final = 16
_FREE: Final = 0.5
"""Part of the slots below which nobody waits for one."""


class Ways:
    """A message that found free slots on the day took its own way; others take that of one that
    did about then."""

    def __init__(self, day: RecordedDay, random: Random) -> None:
        self._random = random
        self._own = _unhindered(day)
        self._pool = sorted(
            (each.at, self._own[each.id]) for each in day.messages if each.id in self._own
        )

    def of(self, message: RecordedMessage) -> float:
        """Seconds."""
        own = self._own.get(message.id)
        if own is not None:
            return own
        if not self._pool:
            return 0.0
        place = bisect_left(self._pool, (message.at, 0.0))
        low, high = max(0, place - _NEAREST), min(len(self._pool), place + _NEAREST)
        return self._pool[self._random.randrange(low, high)][1]


def _unhindered(day: RecordedDay) -> dict[str, float]:
    """The waits of messages that were published at once while slots were free, by their ids."""
    claimed = [each for each in day.messages if each.waited is not None]
    ends = sorted(each.at + (each.waited or 0.0) + (each.took or 0.0) for each in claimed)
    begins = [each.at for each in claimed]
    found = {}
    for number, each in enumerate(claimed):
        under_way = number - bisect_left(ends, begins[number])
        if not each.held and each.waited is not None and under_way < _FREE * day.slots:
            found[each.id] = each.waited
    return found
