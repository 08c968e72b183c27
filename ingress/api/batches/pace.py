"""How soon so many more messages of a tenant would be answered in the batch lane."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from ingress.patience import Patience
from shared.dispatch.flows import Flow, FlowBoard, FlowsTold
from shared.errors import RedisUnavailable
from shared.messages.lane import Lane
from shared.persistence.ledger.lane_load import LaneLoad, LaneLoads

_KEEPS_UP_SECONDS: Final = 2.0
"""A lane whose oldest message is younger says nothing of how much it could do."""


class BatchPace:
    """Looks at what waits in the lane, at how fast it goes, and at whose it is."""

    def __init__(self, loads: LaneLoads, board: FlowBoard, patience: Patience) -> None:
        self._loads = loads
        self._board = board
        self._patience = patience

    async def seconds(self, tenant_id: str, messages: int) -> float | None:
        """By the lane as it stands, None where it says nothing; raises LedgerUnavailable."""
        loads = await self._patience.wait(self._loads.lane_loads())
        told = None
        with suppress(RedisUnavailable):
            told = await self._board.all()
        return expected_seconds(loads[Lane.BATCH], told, tenant_id, messages)


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
