"""The clock of alerts: it counts seconds between rounds, and no jump of the machine's moves it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from shared.alerts.machine import Moment
from shared.clock import Clock
from shared.telemetry.logs import get_logger

_JUMP_SECONDS: Final = 60.0
"""The machine's two clocks may differ by so much between two rounds before one of them jumped."""
_HELD_SECONDS: Final = 300.0
"""After a jump nothing fires and nothing resolves for so long: what figures call the last minutes
is not what happened in them."""
_LONGEST_SECONDS: Final = 300.0
"""What passed without a round counts up to this: nobody saw what was then."""


class ClockRow(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger keeps of it."""

    round: int = 0
    seconds: float = 0.0
    read_at: datetime
    held_until: float = 0.0

    @property
    def is_held(self) -> bool:
        """Whether nothing may fire or resolve in this round."""
        return self.seconds < self.held_until

    @property
    def moment(self) -> Moment:
        return Moment(self.seconds, self.read_at)


class AlertClock:
    """Moves the row on by what the monotonic clock of this process says, where it did the round
    before; by the wall clock, within bounds, where another process did."""

    def __init__(self, clock: Clock, *, every_seconds: float) -> None:
        self._clock = clock
        self._every = every_seconds
        self._last: tuple[int, float] | None = None

    def following(self, before: ClockRow) -> ClockRow:
        """The row of the round that begins now."""
        now, monotonic = self._clock.now(), self._clock.monotonic()
        walked = (now - before.read_at).total_seconds()
        passed, held_until = min(max(walked, 0.0), 2 * self._every), before.held_until
        if self._last is not None and self._last[0] == before.round:
            passed = min(max(monotonic - self._last[1], 0.0), _LONGEST_SECONDS)
            if abs(walked - (monotonic - self._last[1])) > _JUMP_SECONDS:
                held_until = before.seconds + passed + _HELD_SECONDS
                get_logger(__name__).warning("clock_jumped", seconds=walked)
        self._last = before.round + 1, monotonic
        return ClockRow(
            round=before.round + 1,
            seconds=before.seconds + passed,
            read_at=now,
            held_until=held_until,
        )
