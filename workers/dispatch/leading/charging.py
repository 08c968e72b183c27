"""Charges on their way from the ledger to the scheduler, and its counters on their way back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from shared.clock import Clock
from shared.messages.lane import Lane
from shared.persistence.ledger.held.flow_counters import (
    LANE_ITSELF,
    Charge,
    FlowCounters,
    FlowKey,
)
from workers.dispatch.scheduler import Scheduler


class Charging:
    """Keeps the scheduler's counters and the ledger's alike; raises LedgerUnavailable.

    The ledger's are without what is only estimated: that of messages that run is charged anew by
    whoever leads next.
    """

    def __init__(
        self,
        counters: FlowCounters,
        scheduler: Scheduler,
        clock: Clock,
        weight_of: Callable[[str], float],
    ) -> None:
        self._counters = counters
        self._weight_of = weight_of
        self._scheduler = scheduler
        self._clock = clock
        self._so_far: dict[str, float] = {}

    async def restore(self) -> dict[Lane, float]:
        """Take the counters over; where each lane stands is for later, once all is released
        again that runs."""
        await self._counters.forget()
        while await self._counters.fold(_nowhere, {}, weight_of=self._weight_of):
            pass
        now = self._clock.now().timestamp()
        of_lane: defaultdict[Lane, dict[str, float]] = defaultdict(dict)
        for (lane, tenant), counter in (await self._counters.all()).items():
            of_lane[lane][tenant] = counter
        stands = {lane: counters.pop(LANE_ITSELF, 0.0) for lane, counters in of_lane.items()}
        for lane, counters in of_lane.items():
            self._scheduler.lanes[lane].restore(0.0, counters, now)
        return stands

    async def fold(self) -> None:
        """Charge what turns have used since, and keep it."""
        lanes = {
            (lane, LANE_ITSELF): flows.virtual_time for lane, flows in self._scheduler.lanes.items()
        }
        charges = await self._counters.fold(self._settled, lanes, weight_of=self._weight_of)
        for each in charges:
            self._charge(each)

    def _charge(self, each: Charge) -> None:
        now, message_id = self._clock.now().timestamp(), each.message_id
        if message_id not in self._scheduler:
            self._scheduler.charge_tenant(each.lane, each.tenant_id, each.units, now)
            return
        used = self._so_far.pop(message_id, 0.0) + each.units
        if not each.is_last:
            self._so_far[message_id] = used
            self._scheduler.charge(message_id, used, now)
        elif not self._scheduler.settle(message_id, used, now):
            # Another leader released it. It has ended, which its release finds out, or it was put
            # back and waits here rightly.
            self._scheduler.charge_tenant(each.lane, each.tenant_id, used, now)

    def _settled(self, keys: set[FlowKey]) -> dict[FlowKey, float]:
        """The counters of these flows without what is charged for messages that run."""
        now = self._clock.now().timestamp()
        counters = {
            (lane, tenant): self._scheduler.lanes[lane].flow(tenant, now).v for lane, tenant in keys
        }
        for running in self._scheduler.running():
            key = (running.flow.lane, running.flow.tenant)
            if key in counters:
                counters[key] -= running.charged / running.flow.weight
        return counters


def _nowhere(_keys: set[FlowKey]) -> dict[FlowKey, float]:
    return {}
