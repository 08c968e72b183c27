"""A ledger in which messages are held, and leaders that follow each other."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from shared.clock import ManualClock
from shared.identifiers import new_response_id
from shared.messages.lane import Lane, WakeUp
from shared.messages.record import MessageRecord
from shared.persistence.engine import Database
from shared.persistence.ledger.claiming import ClaimGroup
from shared.persistence.ledger.held.flow_counters import FlowCounters
from shared.persistence.ledger.message_ledger import MessageLedger
from shared.persistence.ledger.sweeping import LedgerSweeps
from shared.persistence.ledger.worker_lease import WorkerOffer
from shared.redis.guarded import GuardedRedis
from shared.settings import Settings
from shared.telemetry.metrics import Metrics
from tests.queued_message import queued_message
from workers.dispatch.leading.term import DispatchTerm
from workers.dispatch.parking.outlook import ModelWatch


class NotedPublisher:
    """A broker that is there; what is published is noted."""

    def __init__(self) -> None:
        self.published: list[str] = []
        self.healthy = True

    async def start(self) -> None: ...

    def submit(self, wake_up: WakeUp) -> None: ...

    async def publish(self, wake_ups: Sequence[WakeUp], *, alone: bool = False) -> None:
        self.published += [each.message_id for each in wake_ups]

    async def close(self) -> None: ...


class Scene:
    """A ledger, and leaders that follow each other."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        redis: GuardedRedis,
        models: ModelWatch | None = None,
        *,
        slots: int = 8,
    ) -> None:
        self.clock = ManualClock()
        self.database = database
        self.publisher = NotedPublisher()
        self.ledger = MessageLedger(database, settings.ledger, self.clock, Metrics())
        self.sweeps = LedgerSweeps(database, settings.ledger, self.clock)
        self.counters = FlowCounters(database, self.clock)
        offer = WorkerOffer(slots, [*Lane])
        self.claims = ClaimGroup(
            database, self.clock, worker="worker-1", lease_seconds=1e6, offer=offer
        )
        self._settings = settings
        self._redis = redis
        self._models = models
        self.term = self.new_term()

    async def hold(self, tenant: str, **changes: object) -> MessageRecord:
        now = self.clock.now()
        record = queued_message(
            id=new_response_id(),
            tenant_id=tenant,
            **{"accepted_at": now, "held_at": now, "deadline": now + timedelta(hours=1), **changes},
        )
        await self.ledger.accept(record)
        return record

    def new_term(self) -> DispatchTerm:
        """Of a leader that knows nothing yet."""
        return DispatchTerm(
            self._settings,
            self.database,
            self.publisher,
            self._redis,
            Metrics(),
            self.clock,
            leader="worker-1",
            lease_seconds=600.0,
            models=self._models,
        )

    async def lead(self) -> None:
        """A term of two seconds, from its beginning."""
        self.term = self.new_term()
        await self.term.begin()
        await self.second()
        await self.term.each_second()

    async def second(self) -> None:
        """What the leader does in one."""
        await self.term.each_second()
        await self.term.release()
