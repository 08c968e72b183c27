"""A running batch call is taken back for somebody who waits."""

from __future__ import annotations

from workers.dispatch.flows.held_message import HeldMessage
from workers.dispatch.scheduler import Scheduler


class GivingWay:
    """Neither the order nor ceilings help one who waits where batch calls are long: slots do."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler

    def give_way(self, now: float) -> HeldMessage | None:
        """The youngest batch call, to be cancelled; its message waits again from here on.

        None where nothing waits but batch messages, no batch call runs, or the waste budget is
        spent, as `scheduler.waste.is_spent` then says. To be asked once for each message that
        finds no slot. Where the call ended meanwhile: `remove` the message, `charge_tenant`.
        """
        scheduler = self._scheduler
        if not any(lane.waiting for lane in scheduler.lanes.values() if not lane.yields):
            return None
        call = scheduler.youngest_yielding()
        if call is None:
            return None
        usual = scheduler.service_times.quantile(call.message.lane, 0.5)
        if not scheduler.waste.spend(call.used(now, usual), now):
            return None
        scheduler.take_back(call.message.id, now)
        return call.message
