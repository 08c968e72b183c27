"""How soon so many more messages of a tenant would be answered in the batch lane."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from math import ceil
from statistics import fmean
from typing import Final, NamedTuple

from ingress.patience import Patience
from shared.batches.batch import EtaBasis
from shared.dispatch.flows import Flow, FlowBoard, FlowsTold
from shared.errors import RedisUnavailable
from shared.messages.lane import Lane
from shared.persistence.ledger.held.slot_counts import SlotCounts
from shared.persistence.ledger.lane_load import LaneLoad, LaneLoads

_KEEPS_UP_SECONDS: Final = 2.0
"""A lane whose oldest message is younger says nothing of how much it could do."""
_SLOW_SHARE: Final = 0.95
_MINUTE: Final = 60.0
_GUESS_EXPONENT: Final = 0.56
"""An hour for a day, ten minutes for an hour: what the dispatch leaves a call nobody knows."""


class Expected(NamedTuple):
    """Until the last message has been answered, and how that is known."""

    seconds: float
    basis: EtaBasis


class BatchPace:
    """Looks at what waits in the lane, at how fast it goes, and at whose it is."""

    def __init__(
        self, loads: LaneLoads, slots: SlotCounts, board: FlowBoard, patience: Patience
    ) -> None:
        self._loads = loads
        self._slots = slots
        self._board = board
        self._patience = patience

    async def expected(self, tenant_id: str, messages: int, window_seconds: int) -> Expected | None:
        """By all that is known as the lane stands; None where no worker reads it.

        Raises LedgerUnavailable.
        """
        load = (await self._patience.wait(self._loads.lane_loads()))[Lane.BATCH]
        told = None
        with suppress(RedisUnavailable):
            told = await self._board.all()
        seconds = expected_seconds(load, told, tenant_id, messages)
        if seconds is not None:
            return Expected(seconds, EtaBasis.LANE)
        slots = (await self._patience.wait(self._slots.now())).of(Lane.BATCH)
        calls = await self._patience.wait(self._loads.latest_calls(Lane.BATCH)) if slots else []
        return expected_by_calls(calls, slots, load.queued + messages, window_seconds)


def expected_by_calls(
    calls: Sequence[float], slots: int, messages: int, window_seconds: int
) -> Expected | None:
    """By how long calls took lately, of which so many are made at once; a guess without any."""
    if not slots:
        return None
    if not calls:
        guess = (window_seconds / _MINUTE) ** _GUESS_EXPONENT * _MINUTE
        return Expected(guess, EtaBasis.GUESS)
    slow = sorted(calls)[ceil(len(calls) * _SLOW_SHARE) - 1]
    return Expected(max(slow, fmean(calls) * messages / slots), EtaBasis.CALLS)


def expected_seconds(
    load: LaneLoad, told: FlowsTold | None, tenant_id: str, messages: int
) -> float | None:
    """Until the last of so many more messages has gone; None where nobody can know.

    Where somebody dispatches, a tenant has its share of the lane, and no flood of another's before
    it; where all the others end before, it has all of it.
    """
    if load.oldest_seconds < _KEEPS_UP_SECONDS or load.drained_per_second <= 0:
        return None
    # What has gone since the backlog began: the window still holds the idle time before.
    busy = min(load.window_seconds, load.oldest_seconds)
    rate = load.drained_per_second * load.window_seconds / busy
    if told is None:
        return (load.queued + messages) / rate
    backlogs = {flow: each.backlog for flow, each in told.flows.items() if flow.lane is Lane.BATCH}
    own = backlogs.pop(Flow(Lane.BATCH, tenant_id), 0)
    waiting = max(load.queued, own + sum(backlogs.values()))
    return min((own + messages) * (len(backlogs) + 1), waiting + messages) / rate
