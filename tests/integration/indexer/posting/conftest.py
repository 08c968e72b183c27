"""One indexer for each broker, and a producer's key to its ledger."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from shared.clock import SystemClock
from shared.index.collections.catalogue import CollectionCatalogue
from shared.messages.tenant import KeyScope
from shared.persistence.dead_letters import DeadLetter, DeadLetterRepository
from shared.persistence.engine import Database, open_database
from shared.persistence.key_records import KeyReach
from shared.persistence.tenants import TenantRepository
from shared.queueing.dead_letters.recorder import DeadLetterRecorder
from shared.queueing.declaration import declare_topology
from shared.settings.servers import BrokerSettings
from shared.telemetry.metrics import Metrics
from tests.integration.indexer.process.indexer_process import IndexerGround, IndexerProcess
from tests.servers.rabbitmq import RabbitServer


@dataclass(frozen=True)
class PostingGround:
    """An indexer that reads the queue, and what its ledger has."""

    ground: IndexerGround
    indexer: IndexerProcess
    tenant_id: str
    key: str
    reading_key: str
    collection: str

    @property
    def broker(self) -> BrokerSettings:
        return self.ground.settings.broker


@pytest.fixture(scope="module", params=["rabbitmq", "redis"])
def posting(
    request: pytest.FixtureRequest,
    redis_databases: Iterator[str],
    migrated_file: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[PostingGround]:
    """All tests of the file share it."""
    if request.param == "rabbitmq":
        rabbitmq: RabbitServer = request.getfixturevalue("rabbitmq")
        broker_url = rabbitmq.vhost_url(rabbitmq.create_vhost())
    else:
        broker_url = next(redis_databases)
    folder = tmp_path_factory.mktemp("posting")
    ledger = shutil.copy(migrated_file, folder)
    ground = IndexerGround(broker_url, f"sqlite+aiosqlite:///{ledger}", folder)
    declare_topology(ground.settings.broker)
    tenant_id, key, reading_key, collection = asyncio.run(_make(ground))
    indexer = IndexerProcess(ground).start()
    yield PostingGround(ground, indexer, tenant_id, key, reading_key, collection)
    indexer.process.kill()


@pytest.fixture
async def database(posting: PostingGround) -> AsyncIterator[Database]:
    opened = open_database(posting.ground.settings.ledger)
    yield opened
    await opened.close()


async def dead_letters(posting: PostingGround, database: Database, number: int) -> list[DeadLetter]:
    """What `forebay dead` lists, as soon as it is so many."""

    async def fail(*_: object) -> bool:
        return True

    letters = DeadLetterRepository(database, SystemClock())
    recorder = DeadLetterRecorder(posting.broker, letters, fail_message=fail, metrics=Metrics())
    await recorder.start()
    try:
        async with asyncio.timeout(60):
            while len(found := await letters.list()) < number:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        return found
    finally:
        await recorder.close()


async def _make(ground: IndexerGround) -> tuple[str, str, str, str]:
    database = open_database(ground.settings.ledger)
    tenants = TenantRepository(database, SystemClock())
    tenant = await tenants.create("acme")
    key = await tenants.create_key(tenant, scope=KeyScope.PRODUCER)
    reach = KeyReach(("group:sales",))
    reading = await tenants.create_key(tenant, scope=KeyScope.PRODUCER, reach=reach)
    catalogue = CollectionCatalogue(database, SystemClock())
    collection = await catalogue.create(tenant.id, name="handbook", generation="")
    await database.close()
    return tenant.id, key.key, reading.key, collection.id
