"""Statements that are prepared on kept connections outlive their server, their plan and TLS."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text

from shared.clock import ManualClock
from shared.conversations.history import ConversationRepository
from shared.errors import LedgerUnavailable
from shared.messages.record import MessageRecord
from shared.messages.state import ResponseState
from shared.persistence.engine import Database, open_database
from shared.persistence.ledger.claiming import ClaimGroup
from shared.persistence.ledger.message_ledger import MessageLedger
from shared.persistence.ledger.records import Settlement
from shared.persistence.ledger.worker_lease import Lease
from shared.persistence.migrating import apply_migrations
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings
from shared.telemetry.metrics import Metrics
from tests.servers.postgres import PostgresServer

from .conftest import NewMessage

_BODY = '{"input":[{"type":"message","role":"user","content":"Hi"}]}'
_FORGETTING = text(
    "CREATE FUNCTION forget_statements() RETURNS INTEGER LANGUAGE plpgsql AS"
    " $$ BEGIN EXECUTE 'DEALLOCATE ALL'; RETURN 1; END $$"
)
_END_OTHERS = text(
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@pytest.fixture
def migrated_ledger_url(migrated_postgres_url: str) -> str:
    return migrated_postgres_url


class Road:
    """A message's whole road, again and again on the same connections."""

    def __init__(self, database: Database, clock: ManualClock, new_message: NewMessage) -> None:
        settings = LedgerSettings()
        self.database = database
        self.ledger = MessageLedger(database, settings, clock, Metrics())
        self.claims = ClaimGroup(database, clock, worker="worker-1", lease_seconds=15)
        self.said = ConversationRepository(database)
        self._new_message = new_message
        self._clock = clock

    async def travel(self) -> None:
        """Accept, claim, renew, settle, and read back what was said."""
        message = self._new_message(
            body='{"input":[{"type":"message","role":"user","content":"Hi"}]}'
        )
        await self.ledger.accept(message)
        (claimed,) = await self.claims.flush([message.id])
        assert isinstance(claimed, MessageRecord)
        lease = Lease(message.id, 1)
        assert await self.claims.renew([lease]) == {lease}
        assert await self.ledger.settle(
            Settlement(
                message_id=message.id,
                tenant_id=message.tenant_id,
                attempt=1,
                state=ResponseState.COMPLETED,
                finished_at=self._clock.now(),
                output_text="So it is.",
            )
        )
        after = self._new_message(previous_id=message.id)
        earlier, _ = await self.said.before(after, [], limit=10, limit_bytes=10_000)
        assert len(earlier) == 2

    async def travel_in_the_end(self) -> int:
        """How often it was told that the ledger is away before it went through."""
        for refused in range(20):
            try:
                await self.travel()
            except LedgerUnavailable:
                continue
            return refused
        raise AssertionError("it never went through again")

    async def close(self) -> None:
        await self.ledger.close()
        await self.database.close()


@pytest.fixture
def road(database: Database, clock: ManualClock, new_message: NewMessage) -> Road:
    return Road(database, clock, new_message)


async def test_connections_that_were_ended_cost_each_kind_of_statement_one_group(
    road: Road,
) -> None:
    await road.travel()
    async with road.database.durable.connect() as connection:
        assert await connection.scalar(_END_OTHERS) >= 1
    # The durable connection, the relaxed one and the reader's, each as it is next asked.
    assert 1 <= await road.travel_in_the_end() <= 3
    await road.travel()


async def test_a_server_that_starts_again_is_met_with_statements_prepared_anew(
    own_postgres: PostgresServer, clock: ManualClock, new_message: NewMessage
) -> None:
    url = own_postgres.database_url(own_postgres.create_database())
    database = open_database(LedgerSettings(url=ServerUrl(url)))
    await apply_migrations(database)
    road = Road(database, clock, new_message)
    await road.travel()
    await asyncio.to_thread(own_postgres.kill)
    with pytest.raises(LedgerUnavailable):
        await road.travel()
    await asyncio.to_thread(own_postgres.start)
    assert await road.travel_in_the_end() <= 3
    await road.travel()
    await road.close()


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE message ALTER COLUMN output_text TYPE VARCHAR(70000)",
        "ALTER TABLE message ALTER COLUMN id TYPE VARCHAR(80)",
        "ALTER TABLE worker_lease ALTER COLUMN worker TYPE TEXT",
    ],
)
async def test_a_migration_that_changes_what_a_statement_returns_fails_nobody(
    road: Road, change: str
) -> None:
    await road.travel()
    async with road.database.durable.begin() as connection:
        await connection.execute(text(change))
    for _ in range(3):
        await road.travel()


async def test_all_of_it_goes_over_tls(clock: ManualClock, new_message: NewMessage) -> None:
    with PostgresServer(encrypted=True) as server:
        url = server.database_url(server.create_database())
        verified = f"{url}?sslmode=verify-full&sslrootcert={server.tls.ca_file}"
        database = open_database(LedgerSettings(url=ServerUrl(verified)))
        await apply_migrations(database)
        road = Road(database, clock, new_message)
        await road.travel()
        await road.travel()
        encrypted = await database.roads.relaxed.rows(
            "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()", {}
        )
        assert encrypted == [(True,)]
        await road.close()


async def test_a_session_that_was_swapped_without_a_word_is_found_out(road: Road) -> None:
    """By a pooler that says its sessions' own numbers: ours was prepared in another."""
    async with road.database.durable.begin() as connection:
        await connection.execute(_FORGETTING)
    await road.travel()
    for each in (road.database.roads.durable, road.database.roads.relaxed):
        await each.rows("SELECT forget_statements()", {})
    for _ in range(3):
        await road.travel()
