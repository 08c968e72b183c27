"""One term of a leader: from the ledger as it stands, until somebody else may lead."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Final

from shared.batches.tables import IN_CANCELLING_BATCH
from shared.clock import Clock
from shared.messages.lane import Lane
from shared.messages.state import TERMINAL
from shared.persistence.engine import Database
from shared.persistence.ledger.held.flow_counters import FlowCounters
from shared.persistence.ledger.held.held_messages import HeldMessages
from shared.persistence.ledger.held.slot_counts import SlotCount, SlotCounts
from shared.persistence.ledger.message_states import MessageStates
from shared.persistence.tenants import TenantRepository
from shared.queueing.publisher import Publisher
from shared.redis.guarded import GuardedRedis
from shared.settings import Settings
from shared.telemetry.logs import get_logger
from shared.telemetry.metrics import Metrics
from workers.dispatch.lanes.waste import WasteBudget
from workers.dispatch.leading.charging import Charging
from workers.dispatch.leading.fleet_room import YIELDING, FleetRoom
from workers.dispatch.leading.held_backlog import HeldBacklog, waiting_message
from workers.dispatch.leading.releasing import Releasing, lanes_that_wait, waiting_for_slots
from workers.dispatch.leading.telling import FlowTelling
from workers.dispatch.leading.wait_reasons import WaitReasons
from workers.dispatch.parking.model_gate import ModelGate
from workers.dispatch.parking.outlook import ModelWatch
from workers.dispatch.scheduler import Scheduler

_RESUMED: Final = 10_000
"""Messages that run, or are on their way, which a term begins with at most."""
_LOOK_BACK: Final = timedelta(seconds=5)
"""A message may be committed so long after it was held, or by a clock that is so late."""
_GLANCE_BACK: Final = timedelta(seconds=0.2)
FOLD_SECONDS: Final = 0.2
_ANEW_SECONDS: Final = 15.0
"""How often each flow is looked at from its beginning: for what was committed later than that."""
_OLD_SECONDS: Final = 10.0
_OLD_AT_ONCE: Final = 500


class DispatchTerm:
    """Everything it knows is the ledger's: it may end between any two statements.

    Raises LedgerUnavailable and BrokerUnavailable; Redis may be away.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        publisher: Publisher,
        redis: GuardedRedis,
        metrics: Metrics,
        clock: Clock,
        *,
        leader: str,
        lease_seconds: float,
        models: ModelWatch | None = None,
    ) -> None:
        """Without `models` nobody knows whether they answer, and nothing is parked."""
        self._depth, self._clock = settings.dispatch.depth, clock
        self._states = MessageStates(database)
        self._slots = SlotCounts(database, clock)
        self._tenants = TenantRepository(database, clock)
        self._weights: dict[str, float] = {}
        self.scheduler = scheduler = Scheduler(
            weight_of=self._weight_of, waste=WasteBudget(settings.dispatch.waste_share)
        )
        self._held = held = _held_messages(settings, database, clock)
        self._charging = Charging(FlowCounters(database, clock), scheduler, clock, self._weight_of)
        self._backlog = HeldBacklog(held, scheduler)
        self._reasons = reasons = WaitReasons(scheduler, self._why_parked)
        limit = settings.ledger.attempt_limit
        self._releasing = Releasing(
            scheduler, held, publisher, redis, metrics, clock, reasons=reasons, attempt_limit=limit
        )
        self._telling = FlowTelling(
            scheduler,
            self._backlog,
            redis,
            metrics,
            clock,
            leader=leader,
            lease_seconds=lease_seconds,
            holds=settings.dispatch.enabled,
            why_parked=self._why_parked,
            reasons=reasons,
        )
        self._gate: ModelGate | None = None
        if models is not None:
            probes = settings.breakers.probes
            self._gate = ModelGate(models, held.models, clock, probes=probes, attempt_limit=limit)
            scheduler.parking.lets = self._gate.lets
        self._living: Counter[frozenset[Lane]] | None = None
        self._anew_at = self._fold_at = 0.0
        self._has_released = self._has_counted = False

    @property
    def has_waiting(self) -> bool:
        """Whether anything waits for its release."""
        return bool(lanes_that_wait(self.scheduler))

    async def begin(self) -> None:
        """Take over what an earlier leader knew."""
        began = self._clock.monotonic()
        self._weights = await self._tenants.weights()
        stands = await self._charging.restore()
        await self._resume()
        for lane, virtual_time in stands.items():
            flows = self.scheduler.lanes[lane]
            flows.restore(max(virtual_time, flows.virtual_time), {}, self._clock.now().timestamp())
        await self._backlog.load(self._clock.now())
        self._anew_at = self._clock.monotonic() + _ANEW_SECONDS
        took = round(self._clock.monotonic() - began, 3)
        get_logger(__name__).info("dispatch_led", seconds=took)

    async def each_second(self) -> None:
        """What waits, runs and was used, from the ledger; and all that is told."""
        await self._fold()
        if self._has_released and not self._has_counted:  # who waits is served first
            await self._backlog.count(self._clock.now())
            self._has_counted = True
        if self._clock.monotonic() >= self._anew_at:
            self._anew_at = self._clock.monotonic() + _ANEW_SECONDS
            self._weights = await self._tenants.weights()
            await self._backlog.load(self._clock.now())
            await self._forget_ended()
        await self._backlog.look(self._clock.now(), back=_LOOK_BACK)
        self._backlog.forget_empty(self._clock.now())
        self.scheduler.tick(self._clock.now().timestamp())
        if expired := self._reasons.take_expired(self._clock.now().timestamp()):
            await self._held.note(expired)
        slots = await self._slots.now()
        self._living = slots.slots
        await self._telling.credits(self._room(slots))
        await self._telling.figures(slots)

    async def glance(self) -> None:
        """Read what was held a moment ago."""
        await self._backlog.look(self._clock.now(), back=_GLANCE_BACK)

    async def release(self) -> None:
        """Release what there is room for, and make room for who should not wait."""
        if self._clock.monotonic() >= self._fold_at:
            await self._fold()
        slots = await self._slots.now(self._living)
        room = self._room(slots)
        flows = await self._releasing.release(room)
        self._has_released = True
        await self._backlog.refill(flows, self._clock.now())
        if self._gate is not None and self._gate.wonders:
            await self._reconsider(self._gate)
        if slots.running[Lane.BATCH]:
            await self._releasing.make_room(waiting_for_slots(self.scheduler))
        if self._telling.is_stale or any(lane in YIELDING for lane, _ in flows):
            # A slot that a batch message has is one that doors must not count on.
            await self._telling.credits(self._room(room.slots))

    def _weight_of(self, tenant: str) -> float:
        return self._weights.get(tenant, 1.0)

    async def _fold(self) -> None:
        await self._charging.fold()
        if self._gate is not None:
            await self._gate.look()
            await self._reconsider(self._gate)
        self._fold_at = self._clock.monotonic() + FOLD_SECONDS

    def _why_parked(self, message_id: str) -> str:
        return "" if self._gate is None else self._gate.outlook(message_id).why

    async def _reconsider(self, gate: ModelGate) -> None:
        """Let go what may go, and read on behind what is parked."""
        parking = self.scheduler.parking

        def is_under_way(message_id: str) -> bool:
            return message_id in self.scheduler and message_id not in parking

        await gate.learn(is_under_way=is_under_way)
        parking.reconsider(self._clock.now().timestamp())
        flows = Counter((parking.flows.lane, each.tenant) for each in parking.flows.waiting)
        await self._backlog.refill(flows, self._clock.now())

    def _room(self, slots: SlotCount) -> FleetRoom:
        now = self._clock.now().timestamp()
        return FleetRoom(slots, self.scheduler.ceilings, depth=self._depth, now=now)

    async def _resume(self) -> None:
        """Release again, here alone, what was released and has not ended: it is charged once."""
        now = self._clock.now().timestamp()
        for _, row in sorted(await self._slots.released(_RESUMED)):
            self.scheduler.add(waiting_message(row), now)
        while self.scheduler.pick(now, [*Lane]):
            pass

    async def _forget_ended(self) -> None:
        """End the runs of messages that no turn ended: they were cancelled, or had expired."""
        now = self._clock.now().timestamp()
        old = [
            running.message.id
            for running in self.scheduler.running()
            if now - running.released_at > _OLD_SECONDS
        ]
        for at in range(0, len(old), _OLD_AT_ONCE):
            some = old[at : at + _OLD_AT_ONCE]
            there = await self._states.of(some)
            for message_id in some:
                standing = there.get(message_id)
                if standing is None or standing.state in TERMINAL:
                    self.scheduler.settle(message_id, 0.0, now)


def _held_messages(settings: Settings, database: Database, clock: Clock) -> HeldMessages:
    return HeldMessages(
        database,
        clock,
        wake_after_seconds=settings.ledger.wake_after_seconds,
        batches_first_seconds=settings.batches_first_seconds,
        unwanted=IN_CANCELLING_BATCH,
    )
