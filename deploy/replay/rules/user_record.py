"""What is known of one user of a tenant: levels of its buckets, and what speaks against it."""

from __future__ import annotations

from typing import Final

from shared.reservations.account import RecordCount

RECORD_SECONDS: Final = 3600.0
"""After so long without a word of a user nothing is known of it."""
COUNTED: Final = len(RecordCount)
_FAST_HALF_LIFE: Final = 10.0
_BURST_FLOOR: Final = 20
_BURST_RATIO: Final = 10
_MOST_BODIES: Final = 8
_KINDS: Final = list(RecordCount)
REFUSALS: Final = _KINDS.index(RecordCount.REFUSALS)
_REPEATS: Final = _KINDS.index(RecordCount.REPEATS)
_BURSTS: Final = _KINDS.index(RecordCount.BURSTS)


class UserRecord:
    """As account.lua packs it. `counts` is None where nothing is counted, as of most users."""

    __slots__ = (
        "at",
        "bodies",
        "born",
        "counts",
        "fast",
        "requests",
        "seen",
        "slow",
        "tokens",
        "written_at",
    )

    def __init__(self, now: float) -> None:
        self.requests = self.tokens = 0.0
        self.at = self.seen = self.born = now
        self.fast = self.slow = 0.0
        self.counts: list[float] | None = None
        self.bodies: list[bytes] = []
        self.written_at = now

    def decay(self, now: float, half_life: float) -> None:
        """The record as it stands now: everything in it halves with every half-life."""
        seconds = max(0.0, now - self.seen)
        self.born = min(self.born, now)
        left = 0.5 ** (seconds / half_life)
        if self.counts is not None:
            self.counts = [each * left for each in self.counts]
        self.fast *= 0.5 ** (seconds / _FAST_HALF_LIFE)
        self.slow *= left
        self.seen = now

    def count(self, which: int) -> None:
        if self.counts is None:
            self.counts = [0.0] * COUNTED
        self.counts[which] += 1

    def came_in(self, body: bytes, now: float, half_life: float) -> None:
        """One more message was let in; a repeat, and one of a burst, is counted."""
        self.fast += 1
        self.slow += 1
        if body in self.bodies:
            self.count(_REPEATS)
        else:
            self.bodies = [body, *self.bodies[: _MOST_BODIES - 1]]
        age = now - self.born
        if self.fast >= _BURST_FLOOR and age >= half_life:
            baseline = self.slow / half_life / (1 - 0.5 ** (age / half_life))
            if self.fast / _FAST_HALF_LIFE > _BURST_RATIO * baseline:
                self.count(_BURSTS)
