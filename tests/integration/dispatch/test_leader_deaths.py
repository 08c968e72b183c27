"""A leader may die before any statement: nothing comes twice, nothing is lost or forgotten."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from itertools import count

import pytest
from redis.asyncio import Redis
from sqlalchemy import event, insert, select

from shared.batches.batch import NewBatch
from shared.batches.catalogue import BatchCatalogue
from shared.batches.state import BatchEndpoint
from shared.batches.tables import batch_item
from shared.clock import ManualClock
from shared.messages.lane import Lane
from shared.messages.state import ResponseState
from shared.persistence.engine import Database, open_database
from shared.persistence.flow_tables import charge
from shared.persistence.ledger.records import Settlement
from shared.persistence.statements import transaction
from shared.redis.guarded import GuardedRedis
from shared.settings import Settings
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings
from tests.integration.dispatch.scene import Scene

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


class DyingScene(Scene):
    """In which a leader may die."""

    def __init__(self, database: Database, settings: Settings, redis: GuardedRedis) -> None:
        super().__init__(database, settings, redis)
        self.death = Death(database)

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

    async def dies(self, at: int, work: Callable[[], Awaitable[None]]) -> bool:
        self.death.comes_at(at)
        with suppress(Died):
            await work()
            return False
        return True


@pytest.fixture
async def scene(migrated_ledger_url: str, redis_client: Redis) -> AsyncIterator[DyingScene]:
    ledger = LedgerSettings(url=ServerUrl(migrated_ledger_url), timeout_seconds=60.0)
    database = open_database(ledger)
    guarded = GuardedRedis(redis_client, ManualClock())
    made = DyingScene(database, Settings(ledger=ledger), guarded)
    yield made
    made.death.comes_at(None)
    await made.ledger.close()
    await guarded.close()
    await database.close()


async def test_a_leader_dies_before_any_statement_and_the_next_goes_on(scene: DyingScene) -> None:
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


async def test_a_leader_releases_nothing_of_a_batch_that_is_being_cancelled(
    scene: DyingScene,
) -> None:
    batches = BatchCatalogue(scene.database, scene.clock)
    new = NewBatch(
        tenant_id="a",
        endpoint=BatchEndpoint.RESPONSES,
        content_id="cont_1",
        input_bytes=1,
        window_seconds=60,
    )
    of = await batches.create(new)
    line, other = await scene.hold("a", lane=Lane.BATCH), await scene.hold("a", lane=Lane.BATCH)
    row = {"batch_id": of.id, "line": 1, "custom_id": "c", "message_id": line.id}
    async with transaction(scene.database.durable) as connection:
        await connection.execute(insert(batch_item), row)
    await batches.cancel(of.id, tenant_id="a")
    await scene.claims.renew([])
    await scene.lead()
    assert scene.publisher.published == [other.id]
