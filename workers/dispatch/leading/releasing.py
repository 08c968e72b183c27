"""Releases: picked in fair order, written down, published; and batch turns that give way."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from typing import Final

from shared.clock import Clock
from shared.errors import RedisUnavailable
from shared.messages.lane import Lane
from shared.persistence.ledger.held.flow_counters import FlowKey
from shared.persistence.ledger.held.held_messages import GivenBack, HeldMessages
from shared.queueing.publisher import Publisher
from shared.redis.guarded import GuardedRedis
from shared.replies.wakeups import wake_channel
from shared.telemetry.metrics import Metrics
from workers.dispatch.flows.held_message import HeldMessage
from workers.dispatch.giving_way import GivingWay
from workers.dispatch.leading.fleet_room import FleetRoom
from workers.dispatch.leading.wait_reasons import WaitReasons
from workers.dispatch.scheduler import Scheduler

_AT_ONCE: Final = 500
_GIVE_WAY_AT_ONCE: Final = 8


class Releasing:
    """Raises LedgerUnavailable and BrokerUnavailable.

    What is written down and not published, whatever came in between, is published by the
    reconciler; what is picked and not written down waits again.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        held: HeldMessages,
        publisher: Publisher,
        redis: GuardedRedis,
        metrics: Metrics,
        clock: Clock,
        *,
        reasons: WaitReasons,
        attempt_limit: int,
    ) -> None:
        self._scheduler = scheduler
        self._giving_way = GivingWay(scheduler)
        self._held = held
        self._publisher = publisher
        self._redis = redis
        self._metrics = metrics
        self._clock = clock
        self._reasons = reasons
        # Two claims are left to it: a worker may still die of it, and one more.
        self._attempts = max(0, attempt_limit - 2)

    async def release(self, room: FleetRoom) -> Counter[FlowKey]:
        """Release what there is room for, a group of it; how many of each flow."""
        if not self._publisher.healthy:
            return Counter()
        picked = self._pick(room)
        if not picked:
            return Counter()
        now = self._now()
        notes = {each.id: self._reasons.note_of(each, now) for each in picked}
        try:
            wake_ups = await self._held.release([*notes], notes=notes)
        except BaseException:
            now = self._now()
            for each in picked:
                self._scheduler.take_back(each.id, now)
            raise
        released = {each.message_id for each in wake_ups}
        for each in picked:
            if each.id not in released:  # ended or unwanted, or another leader was first
                self._scheduler.settle(each.id, 0.0, self._now())
        for wake_up in wake_ups:
            self._metrics.released_messages.labels(wake_up.lane).inc()
        await self._publisher.publish(wake_ups)
        return Counter((each.lane, each.tenant) for each in picked)

    async def make_room(self, waiting: int) -> None:
        """Take batch turns back for messages that wait for a slot."""
        for _ in range(min(waiting, _GIVE_WAY_AT_ONCE)):
            message = self._giving_way.give_way(self._now())
            if message is None:
                return
            given = await self._held.give_back(message.id, attempts=self._attempts)
            if given is None:
                # It has ended, or has given way too often: its turn is charged when it ends.
                self._scheduler.remove(message.id)
                continue
            self._metrics.given_way.inc()
            await self._tell(given)

    def _pick(self, room: FleetRoom) -> list[HeldMessage]:
        picked: list[HeldMessage] = []
        while len(picked) < _AT_ONCE and (lanes := room.open()):
            message = self._scheduler.pick(self._now(), lanes)
            if message is None:
                break
            room.take(message.lane)
            picked.append(message)
        return picked

    async def _tell(self, given: GivenBack) -> None:
        """Its worker looks at once; else with its next renewal."""
        if given.worker is None:
            return
        with suppress(RedisUnavailable):
            async with self._redis.asking() as redis:
                await redis.publish(wake_channel(given.worker), b"")

    def _now(self) -> float:
        return self._clock.now().timestamp()


def waiting_for_slots(scheduler: Scheduler) -> int:
    """Messages that wait in lanes for which others give way."""
    return sum(
        flow.count for lane in scheduler.lanes.values() if not lane.yields for flow in lane.waiting
    )


def lanes_that_wait(scheduler: Scheduler) -> frozenset[Lane]:
    """Those of which something is held."""
    return frozenset(name for name, lane in scheduler.lanes.items() if lane.waiting)
