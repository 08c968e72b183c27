"""Messages that wait for a worker, of twenty tenants; who folds figures is away for three minutes.

It runs by itself, on either build's code, and so imports only what both have. Its arguments are
how many, and the ground as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any, Final

from shared.clock import SystemClock
from shared.messages.lane import WakeUp
from shared.persistence.engine import open_database
from shared.persistence.ledger.message_ledger import MessageLedger
from shared.persistence.ledger.role_leases import RoleLease
from shared.persistence.tenants import TenantRepository
from shared.queueing.declaration import declare_topology
from shared.queueing.publisher import build_publisher
from shared.telemetry.metrics import Metrics
from tests.benchmarks.ground.backlog import new_record
from tests.benchmarks.ground.forebay import settings_of
from tests.benchmarks.ground.stage import Broker, Ground

TENANTS: Final = 20
_GROUP: Final = 500
_FOLDER: Final = "rollups/2"
_AWAY_SECONDS: Final = 180
"""What is ten times as long as its own lease is not believed."""


def _ground(told: dict[str, Any]) -> Ground:
    broker, folder = Broker(told.pop("broker")), Path(told.pop("folder"))
    return Ground(broker=broker, folder=folder, **told)


async def _fill(ground: Ground, count: int) -> None:
    settings, clock = settings_of(ground), SystemClock()
    await asyncio.to_thread(declare_topology, settings.broker)
    publisher = build_publisher(settings.broker, Metrics())
    await publisher.start()
    database = open_database(settings.ledger)
    names = [f"tenant-{number}" for number in range(TENANTS)]
    tenants = [await TenantRepository(database, clock).create(name) for name in names]
    ledger = MessageLedger(database, settings.ledger, clock, Metrics())
    for first in range(0, count, _GROUP):
        numbers = range(first, min(first + _GROUP, count))
        records = [new_record(tenants[number % TENANTS]) for number in numbers]
        await asyncio.gather(*[ledger.accept(record) for record in records])
        wakings = [WakeUp(record.id, record.lane, record.deadline, {}) for record in records]
        await publisher.publish(wakings)
    lease = RoleLease(database, clock, role=_FOLDER, holder="nobody", lease_seconds=_AWAY_SECONDS)
    assert await lease.take()
    await ledger.close()
    await database.close()
    await publisher.close()


if __name__ == "__main__":
    asyncio.run(_fill(_ground(json.loads(sys.argv[2])), int(sys.argv[1])))
