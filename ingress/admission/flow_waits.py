"""How long a tenant's own messages would wait, where its lane as a whole would take too long."""

from __future__ import annotations

from typing import Final

from ingress.admission.question import AdmissionRequest
from shared.clock import Clock
from shared.dispatch.flows import Flow, FlowBoard
from shared.errors import RedisUnavailable

_FRESH_SECONDS: Final = 1.0
"""The leader writes them as often."""
_MOST_KNOWN: Final = 10_000


class FlowWaits:
    """One tenant's flood is no other's wait, as long as somebody dispatches.

    Redis is asked about a tenant only where the wait of its lane would have it refused, and once a
    second at the most.
    """

    def __init__(self, board: FlowBoard, clock: Clock) -> None:
        self._board = board
        self._clock = clock
        self._known: dict[Flow, tuple[float, float | None]] = {}

    async def look(self, request: AdmissionRequest) -> None:
        """Learn how long this tenant's flow would take; without Redis nothing is learnt."""
        flow, now = Flow(request.lane, request.tenant.id), self._clock.monotonic()
        looked_at, _ = self._known.get(flow, (float("-inf"), None))
        if now - looked_at < _FRESH_SECONDS:
            return
        try:
            wait = await self._read(flow)
        except RedisUnavailable:
            wait = None
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[flow] = now, wait

    def expected_seconds(self, request: AdmissionRequest, *, of_lane: float) -> float:
        """The wait of its flow, or of its lane where nobody knows better."""
        looked_at, wait = self._known.get(Flow(request.lane, request.tenant.id), (0.0, None))
        is_fresh = self._clock.monotonic() - looked_at < 2 * _FRESH_SECONDS
        return of_lane if wait is None or not is_fresh else wait

    async def _read(self, flow: Flow) -> float | None:
        told = await self._board.of(flow)
        if told is None:
            return None
        figures = told.flows.get(flow)
        if figures is None:
            return 0.0  # it has no backlog: its first message is the next to go
        # Nothing of it is released: whoever comes now waits as long as its oldest has.
        return figures.oldest_seconds if figures.eta_seconds is None else figures.eta_seconds
