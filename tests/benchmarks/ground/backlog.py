"""Queues filled beforehand, so that a worker is measured and nobody beside it."""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import timedelta
from typing import Final

import psycopg
from celery import Celery
from kombu import Connection
from sqlalchemy import make_url

from shared.clock import SystemClock
from shared.identifiers import new_response_id
from shared.messages.lane import Lane, WakeUp
from shared.messages.record import MessageRecord
from shared.messages.tenant import Tenant
from shared.persistence.ledger.message_ledger import MessageLedger
from shared.queueing.declaration import declare_topology
from shared.queueing.publisher import build_publisher
from shared.telemetry.metrics import Metrics
from tests.benchmarks.ground.forebay import opened_ledger, settings_of
from tests.benchmarks.ground.stage import Ground

TEXT: Final = "x" * 900
"""The input of every message: with what is around it, about 1 KB."""
_BODY: Final = f'{{"model":"auto","background":true,"input":"{TEXT}"}}'
_GROUP: Final = 500
_UNENDED: Final = "SELECT count(*) FROM message WHERE state IN ('queued', 'in_progress')"


def new_record(tenant: Tenant) -> MessageRecord:
    """A message as a door would have accepted it just now."""
    now = SystemClock().now()
    return MessageRecord(
        id=new_response_id(),
        tenant_id=tenant.id,
        lane=Lane.STANDARD,
        body=_BODY,
        accepted_at=now,
        deadline=now + timedelta(hours=1),
        estimated_tokens=500,
    )


def fill_ours(ground: Ground, count: int) -> None:
    """Accepts and publishes so many messages, as a door does."""
    asyncio.run(_fill(ground, count))


async def _fill(ground: Ground, count: int) -> None:
    settings = settings_of(ground)
    await asyncio.to_thread(declare_topology, settings.broker)
    publisher = build_publisher(settings.broker, Metrics())
    await publisher.start()
    async with opened_ledger(ground) as (database, tenant):
        ledger = MessageLedger(database, settings.ledger, SystemClock(), Metrics())
        for first in range(0, count, _GROUP):
            records = [new_record(tenant) for _ in range(min(_GROUP, count - first))]
            await asyncio.gather(*[ledger.accept(record) for record in records])
            await publisher.publish(
                [WakeUp(record.id, record.lane, record.deadline, {}) for record in records]
            )
        await ledger.close()
    await publisher.close()


def fill_stock(app: Celery, task: str, count: int, *arguments: object) -> None:
    """Sends so many tasks over one connection."""
    with app.producer_pool.acquire(block=True) as producer:
        for _ in range(count):
            app.send_task(task, arguments, producer=producer)


def unended(ledger: psycopg.Connection) -> int:
    """How many messages of the ledger have not ended."""
    found = ledger.execute(_UNENDED)
    return int((found.fetchone() or (0,))[0])


def _plain(ground: Ground) -> str:
    return ground.ledger_url.replace("postgresql+psycopg", "postgresql")


class Unclaimed:
    """How many accepted messages no worker has claimed; asked often, over one connection.

    The depth of a queue does not say it: a message of the broker may wake for several.
    """

    def __init__(self, ground: Ground) -> None:
        self._connection = psycopg.connect(_plain(ground), autocommit=True)

    def __enter__(self) -> Unclaimed:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def __call__(self) -> int:
        found = self._connection.execute("SELECT count(*) FROM message WHERE state = 'queued'")
        return int((found.fetchone() or (0,))[0])


class Unanswered:
    """How many messages have not ended, on either database; asked often, over one connection."""

    def __init__(self, ground: Ground) -> None:
        url = make_url(ground.ledger_url)
        self._connection: psycopg.Connection | sqlite3.Connection = (
            sqlite3.connect(url.database or "", isolation_level=None)
            if url.get_backend_name() == "sqlite"
            else psycopg.connect(_plain(ground), autocommit=True)
        )

    def __enter__(self) -> Unanswered:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def __call__(self) -> int:
        found = self._connection.execute(_UNENDED)
        return int((found.fetchone() or (0,))[0])


class QueueDepth:
    """How many messages wait in one queue; asked often, over one connection."""

    def __init__(self, broker_url: str, queue: str) -> None:
        self._connection = Connection(broker_url)
        self._channel = self._connection.channel()
        self._queue = queue

    def __enter__(self) -> QueueDepth:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.release()

    def __call__(self) -> int:
        told = self._channel.queue_declare(queue=self._queue, passive=True)
        return int(told.message_count)
