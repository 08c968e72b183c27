"""A Postgres that ends every connection while leaders work, or is restarted under them: rounds
fail, nothing is lost, and nothing is told twice under another id."""

from __future__ import annotations

import asyncio
from asyncio import Event
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from shared.clock import ManualClock
from shared.errors import LedgerUnavailable
from shared.persistence.engine import open_database
from shared.persistence.migrating import apply_migrations
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings
from shared.webhooks.tables import DeliveryState
from tests.integration.webhooks.receiver import WebhookReceiver
from tests.servers.postgres import PostgresServer

from .conftest import CLAIM_SECONDS, WatchedLedger, send_round, told_to, webhook_sink

_END_OTHERS = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


async def _ended(watched: WatchedLedger) -> None:
    """Every connection but the one that ends them, as a restart does."""
    async with watched.database.relaxed.connect() as connection:
        await connection.execute(_END_OTHERS)


@pytest.mark.parametrize("migrated_ledger_url", ["postgres"], indirect=True)
async def test_connections_that_end_between_rounds_and_tries_lose_no_message(
    watched: WatchedLedger, receiver: WebhookReceiver
) -> None:
    settings = told_to(webhook_sink(receiver.url))
    leader, sending = watched.leader(settings), watched.sending(settings)
    watched.figures.values = {"ten_1": 20.0}
    for _ in range(6):
        await _ended(watched)
        with suppress(LedgerUnavailable):
            await leader()
        await _ended(watched)
        with suppress(LedgerUnavailable):
            await send_round(sending)
        watched.clock.advance(2 * CLAIM_SECONDS)
    await leader()
    await send_round(sending)
    assert {got.event["fired"] for got in receiver.got} == {1}
    assert len({got.id for got in receiver.got}) == 1
    assert len(await watched.messages()) == 1
    assert (await watched.deliveries())["ops"][0] is DeliveryState.DELIVERED


@pytest.fixture
async def on_own(own_postgres: PostgresServer) -> AsyncIterator[WatchedLedger]:
    """A ledger on a server of this test alone."""
    url = own_postgres.database_url(own_postgres.create_database())
    database = open_database(LedgerSettings(url=ServerUrl(url), timeout_seconds=60.0))
    await apply_migrations(database)
    yield WatchedLedger(database, ManualClock(datetime.now(UTC)))
    await database.close()


async def _fire_more(watched: WatchedLedger, receiver: WebhookReceiver, until: Event) -> None:
    """A tenant more in every round, until it is enough and everybody was told of."""
    settings = told_to(webhook_sink(receiver.url), retry_seconds=(1,) * 20)
    leader, sending = watched.leader(settings), watched.sending(settings)
    tenants = watched.figures.values
    while not until.is_set() or _told(receiver) < len(tenants):
        if not until.is_set():
            tenants[f"ten_{len(tenants)}"] = 20.0
        with suppress(LedgerUnavailable):
            await leader()
            await send_round(sending)
        watched.clock.advance(15)
        await asyncio.sleep(0.01)


def _told(receiver: WebhookReceiver) -> int:
    """How many alerts it was told of, each message counted once."""
    return sum({got.id: got.event["fired"] for got in receiver.got}.values())


@pytest.mark.parametrize("end", ["kill", "stop"])
async def test_a_server_restarted_while_alerts_fire_repeats_and_loses_nothing(
    on_own: WatchedLedger, own_postgres: PostgresServer, receiver: WebhookReceiver, end: str
) -> None:
    enough = Event()
    firing = asyncio.create_task(_fire_more(on_own, receiver, enough))
    async with asyncio.timeout(120):
        while not receiver.got:  # noqa: ASYNC110 - a task tells it
            await asyncio.sleep(0.01)
        await asyncio.to_thread(getattr(own_postgres, end))
        await asyncio.to_thread(own_postgres.start)
        enough.set()
        await firing
    tenants = {*on_own.figures.values}
    fired = await on_own.catalogue.history(limit=10_000)
    assert sorted(each.labels["tenant"] for each in fired) == sorted(tenants)
    assert _told(receiver) == len(tenants)
    assert (await on_own.catalogue.standing([])).undelivered == []
