"""Time that goes from event to event."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from heapq import heappop, heappush
from itertools import count
from typing import Any

from deploy.replay.day.recorded_day import EPOCH

_Event = tuple[float, int, Callable[..., None], tuple[Any, ...]]


class VirtualTime:
    """Does what is due, in its order; what is due at once, in the order in which it was asked for.

    It is the clock of all that is run by it: `seconds` count from the epoch of the scripts.
    """

    __slots__ = ("_events", "_numbers", "seconds")

    def __init__(self, began: float) -> None:
        self.seconds = began
        self._events: list[_Event] = []
        self._numbers = count()

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return datetime.fromtimestamp(EPOCH + self.seconds, UTC)

    def at(self, when: float, act: Callable[..., None], *about: Any) -> None:
        """Do this then, or at once where that is past."""
        heappush(self._events, (max(when, self.seconds), next(self._numbers), act, about))

    def run(
        self,
        arrivals: Iterable[tuple[float, Any]],
        arrive: Callable[[Any], None],
        *,
        is_over: Callable[[], bool],
    ) -> None:
        """All that comes, and then what is left until it is over."""
        events = self._events
        for at, arrival in arrivals:
            while events and events[0][0] <= at:
                self._do(heappop(events))
            self.seconds = at
            arrive(arrival)
        while events and not is_over():
            self._do(heappop(events))

    def _do(self, event: _Event) -> None:
        self.seconds = event[0]
        event[2](*event[3])
