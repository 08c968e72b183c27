"""A leader may die before any statement: nothing comes twice, nothing is lost or forgotten."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from itertools import count

import pytest
from redis.asyncio import Redis
from sqlalchemy import event, select

from shared.clock import ManualClock
from shared.identifiers import new_response_id
from shared.messages.lane import Lane, WakeUp
from shared.messages.record import MessageRecord
from shared.messages.state import ResponseState
from shared.persistence.engine import Database, open_database
from shared.persistence.flow_tables import charge
from shared.persistence.ledger.claiming import ClaimGroup
from shared.persistence.ledger.held.flow_counters import FlowCounters
from shared.persistence.ledger.message_ledger import MessageLedger
from shared.persistence.ledger.records import Settlement
from shared.persistence.ledger.sweeping import LedgerSweeps
from shared.persistence.ledger.worker_lease import WorkerOffer
from shared.redis.guarded import GuardedRedis
from shared.settings import Settings
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings
from shared.telemetry.metrics import Metrics
from tests.queued_message import queued_message
from workers.dispatch.leading.term import DispatchTerm

UNITS = 10.0
USED = (Lane.BATCH, "ten_used")


class Died(Exception):
    """As a process does that is killed: nothing that comes after it is done."""


class Death:
    """Comes before the statement of that number, or the commit."""

    def __init__(self, database: Database) -> None:
        self._left: int | None = None
        for engine in {database.relaxed.sync_engine, database.durable.sync_engine}:
            for name in ("before_cursor_execute", "commit"):
                event.listen(engine, name, self._step)

    def comes_at(self, number: int | None) -> None:
        self._left = number

    def _step(self, *_: object) -> None:
        if self._left is None:
            return
        self._left -= 1
        if self._left <= 0:
            raise Died


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

    def __init__(self, database: Database, settings: Settings, redis: GuardedRedis) -> None:
        self.clock = ManualClock()
        self.database = database
        self.death = Death(database)
        self.publisher = NotedPublisher()
        self.ledger = MessageLedger(database, settings.ledger, self.clock, Metrics())
        self.sweeps = LedgerSweeps(database, settings.ledger, self.clock)
        self.counters = FlowCounters(database, self.clock)
        offer = WorkerOffer(8, [*Lane])
        self.claims = ClaimGroup(
            database, self.clock, worker="worker-1", lease_seconds=1e6, offer=offer
        )
        self._settings = settings
        self._redis = redis

    async def hold(self, tenant: str, **changes: object) -> MessageRecord:
        now = self.clock.now()
        record = queued_message(
            id=new_response_id(),
            tenant_id=tenant,
            accepted_at=now,
            held_at=now,
            deadline=now + timedelta(hours=1),
            **changes,
        )
        await self.ledger.accept(record)
        return record

    async def use(self) -> None:
        """A turn of somebody who waits for nothing else."""
        record = await self.hold(USED[1], lane=Lane.BATCH)
        await self.claims.flush([record.id])
        end = Settlement(
            message_id=record.id,
            tenant_id=record.tenant_id,
            lane=record.lane,
            attempt=1,
            state=ResponseState.COMPLETED,
            finished_at=self.clock.now(),
            units=UNITS,
        )
        assert await self.ledger.settle(end)

    async def lead(self) -> None:
        term = DispatchTerm(
            self._settings,
            self.database,
            self.publisher,
            self._redis,
            Metrics(),
            self.clock,
            leader="worker-1",
            lease_seconds=5.0,
        )
        await term.begin()
        await term.each_second()
        await term.release()
        await term.each_second()

    async def dies(self, at: int, work: Callable[[], Awaitable[None]]) -> bool:
        self.death.comes_at(at)
        with suppress(Died):
            await work()
            return False
        return True


@pytest.fixture
async def scene(migrated_ledger_url: str, redis_client: Redis) -> AsyncIterator[Scene]:
    ledger = LedgerSettings(url=ServerUrl(migrated_ledger_url), timeout_seconds=60.0)
    database = open_database(ledger)
    guarded = GuardedRedis(redis_client, ManualClock())
    made = Scene(database, Settings(ledger=ledger), guarded)
    yield made
    made.death.comes_at(None)
    await made.ledger.close()
    await guarded.close()
    await database.close()


async def test_a_leader_dies_before_any_statement_and_the_next_goes_on(scene: Scene) -> None:
    await scene.claims.renew([])
    await scene.lead()  # connects
    for at in count(1):
        scene.publisher.published.clear()
        await scene.use()
        records = [await scene.hold(f"ten_{n % 2}") for n in range(4)]
        has_died = await scene.dies(at, scene.lead)
        scene.death.comes_at(None)
        await scene.lead()

        published = scene.publisher.published
        assert len(published) == len({*published}), "nothing is published twice"
        due = await scene.sweeps.due(by=scene.clock.now() + timedelta(seconds=16))
        on_the_way = {*published, *(each.wake_up.message_id for each in due)}
        assert {record.id for record in records} <= on_the_way
        assert (await scene.counters.all())[USED] == UNITS * at
        async with scene.database.relaxed.connect() as connection:
            assert (await connection.execute(select(charge))).all() == []
        for record in records:
            await scene.ledger.cancel(record.id, tenant_id=record.tenant_id)
        if not has_died:
            assert at > 20, "death came too late to be of use"
            return
