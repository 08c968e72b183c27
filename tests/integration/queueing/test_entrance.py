"""What lets messages in commits them first; a worker hears of it where there is a broker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from shared.accepting.arrival import Arrival
from shared.accepting.entrance import Entrance
from shared.accepting.ledger_entry import LedgerEntries
from shared.clock import SystemClock
from shared.files.content_ledger import ContentLedger
from shared.files.database_content import DatabaseContent
from shared.messages.lane import Lane
from shared.messages.record import MessageRecord, Surface
from shared.messages.state import ResponseState
from shared.messages.stored_body import KeptBody, decode_body
from shared.messages.tenant import Tenant
from shared.persistence.engine import open_database
from shared.persistence.ledger.message_ledger import MessageLedger
from shared.persistence.ledger.records import AlreadyAccepted
from shared.queueing.publisher import build_publisher
from shared.queueing.topology import lane_queue
from shared.settings.door import LaneSettings
from shared.settings.secret import ServerUrl
from shared.settings.servers import BrokerSettings, LedgerSettings
from shared.telemetry.metrics import Metrics
from tests.integration.queueing.conftest import broker_at
from tests.integration.queueing.queue_contents import body_of, drain
from tests.servers.ports import free_port

LANES = LaneSettings()


@dataclass
class _Room:
    entries: LedgerEntries
    entrance: Entrance
    ledger: MessageLedger

    def entry(self, key: str | None = None) -> MessageRecord:
        raw = b'{"input":"What is a forebay?","service_tier":"priority"}'
        arrival = Arrival(
            tenant=Tenant("ten_1", "acme"),
            body=decode_body(raw),
            kept=KeptBody(raw, len(raw)),
            surface=Surface.INTAKE,
            idempotency_key=key,
            reply_to="answers",
        )
        return self.entries.record_of(arrival, p90_output_tokens=512)


@asynccontextmanager
async def _room(broker: BrokerSettings, ledger_url: str) -> AsyncIterator[_Room]:
    settings, metrics, clock = LedgerSettings(url=ServerUrl(ledger_url)), Metrics(), SystemClock()
    database = open_database(settings)
    ledger = MessageLedger(database, settings, clock, metrics)
    accepts = ContentLedger(ledger, database, DatabaseContent(database), clock)
    publisher = build_publisher(broker, metrics)
    await publisher.start()
    try:
        yield _Room(LedgerEntries(LANES, clock), Entrance(accepts, publisher), ledger)
    finally:
        await publisher.close()
        await ledger.close()
        await database.close()


async def test_a_process_that_ends_soon_knows_that_a_worker_was_woken(
    broker: BrokerSettings, migrated_sqlite_url: str
) -> None:
    async with _room(broker, migrated_sqlite_url) as room:
        entry = room.entry()
        await room.entrance.accept_and_publish(entry)
        [message] = await asyncio.to_thread(lambda: list(drain(broker, lane_queue(entry.lane))))
    assert body_of(message)[1]["message_id"] == entry.id


async def test_without_a_broker_a_message_is_accepted_all_the_same(
    migrated_sqlite_url: str,
) -> None:
    away = broker_at(f"redis://127.0.0.1:{free_port()}/0", publish_timeout_seconds=0.1)
    async with _room(away, migrated_sqlite_url) as room:
        waited_for, left = room.entry(), room.entry()
        await room.entrance.accept_and_publish(waited_for)
        await room.entrance.accept(left)
        found = [await room.ledger.find(each.id) for each in (waited_for, left)]
    assert [each and each.state for each in found] == [ResponseState.QUEUED] * 2


async def test_a_key_that_is_taken_wakes_nobody(
    broker: BrokerSettings, migrated_sqlite_url: str
) -> None:
    async with _room(broker, migrated_sqlite_url) as room:
        first, second = room.entry("k"), room.entry("k")
        await room.entrance.accept_and_publish(first)
        outcome = await room.entrance.accept_and_publish(second)
        woken = await asyncio.to_thread(lambda: list(drain(broker, lane_queue(Lane.INTERACTIVE))))
    assert outcome == AlreadyAccepted(first.id, same_body=True)
    assert [body_of(message)[1]["message_id"] for message in woken] == [first.id]
