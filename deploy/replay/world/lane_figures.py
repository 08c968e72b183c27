"""How the lanes stand, as doors read it from the ledger."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from deploy.replay.world.virtual_message import VirtualMessage
from deploy.replay.world.virtual_time import VirtualTime
from shared.messages.lane import Lane
from shared.persistence.ledger.lane_load import COUNT_LIMIT, LaneLoad

_WINDOW = 30.0
_DRAIN_LIMIT = 2_000


class LaneFigures:
    """What waits in each lane, and what ended lately: `LaneLoads` without a ledger."""

    def __init__(self, time: VirtualTime) -> None:
        self._time = time
        self._waiting: dict[Lane, dict[str, float]] = {lane: {} for lane in Lane}
        self._ended: deque[tuple[float, Lane]] = deque(maxlen=_DRAIN_LIMIT)

    def wait(self, job: VirtualMessage) -> None:
        """It waits, held or on its way."""
        self._waiting[job.message.lane][job.message.id] = job.message.at

    def leave(self, job: VirtualMessage) -> None:
        """It waits no more."""
        self._waiting[job.message.lane].pop(job.message.id, None)

    def end(self, job: VirtualMessage) -> None:
        """It has ended."""
        self._ended.append((self._time.seconds, job.message.lane))

    def waiting(self, lane: Lane) -> int:
        return len(self._waiting[lane])

    async def loads(self) -> Mapping[Lane, LaneLoad]:
        """Of each lane, now."""
        now, ended = self._time.seconds, self._ended
        while ended and ended[0][0] <= now - _WINDOW:
            ended.popleft()
        window = _WINDOW
        if len(ended) >= _DRAIN_LIMIT:
            window = max(now - ended[0][0], 0.001)
        drained = dict.fromkeys(Lane, 0)
        for _, lane in ended:
            drained[lane] += 1
        return {
            lane: LaneLoad(
                min(len(waiting), COUNT_LIMIT),
                drained[lane] / window,
                max(0.0, now - next(iter(waiting.values()), now)),
                window,
            )
            for lane, waiting in self._waiting.items()
        }
