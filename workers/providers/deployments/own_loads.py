"""What this process alone has under way at its deployments: all there is to go by without Redis."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final, Protocol

from shared.clock import Clock

_REFUSED_REST_SECONDS: Final = 30.0

_Place = tuple[str, int]


class Weighted(Protocol):
    """A deployment with a weight."""

    @property
    def weight(self) -> float:
        """0 where it is asked nothing."""


class OwnLoads:
    """The same rule as the script's, without limits and affinity: the least to do by weight, any
    of equals; whoever rests is asked only when all do."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tokens: defaultdict[_Place, int] = defaultdict(int)
        self._rests_until: dict[_Place, float] = {}

    def add(self, key: str, place: int, tokens: int) -> None:
        """A call has begun there, or ended: less than nothing then."""
        self._tokens[key, place] += tokens

    def note(self, key: str, place: int, is_refused: bool, cool_seconds: float) -> None:
        """Its key was refused, or it asked for a rest."""
        rest = max(cool_seconds, _REFUSED_REST_SECONDS if is_refused else 0.0)
        if rest:
            until = self._clock.monotonic() + rest
            self._rests_until[key, place] = max(until, self._rests_until.get((key, place), 0.0))

    def choose(self, key: str, shares: Sequence[Weighted], left_out: int, dice: float) -> int:
        """A place, from 1 on; one at least must be neither left out nor without weight."""
        weights = {
            place: share.weight
            for place, share in enumerate(shares, start=1)
            if share.weight > 0 and not left_out >> (place - 1) & 1
        }
        now = self._clock.monotonic()
        awake = [each for each in weights if self._rests_until.get((key, each), 0.0) <= now]
        loads = {
            place: self._tokens[key, place] / weights[place] for place in awake or tuple(weights)
        }
        least = min(loads.values())
        equals = [place for place, load in loads.items() if load == least]
        dice *= sum(weights[place] for place in equals)
        for place in equals:
            dice -= weights[place]
            if dice < 0:
                return place
        return equals[-1]
