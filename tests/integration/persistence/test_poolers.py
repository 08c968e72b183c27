"""What we ask of each connection is looked at: a pooler may refuse it, or drop it unsaid."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Iterator

import pytest

from deploy.cli.check.finding import Level
from deploy.cli.check.ledger import check_ledger
from shared.clock import SystemClock
from shared.errors import LedgerUnavailable
from shared.messages.record import MessageRecord
from shared.messages.state import ResponseState
from shared.persistence.engine import open_database
from shared.persistence.ledger.claiming import ClaimGroup
from shared.persistence.ledger.message_ledger import MessageLedger
from shared.persistence.ledger.records import Settlement
from shared.persistence.ledger.worker_lease import Lease
from shared.persistence.migrating import missing_migrations
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings
from shared.telemetry.metrics import Metrics
from tests.servers.pgbouncer import PgbouncerServer
from tests.servers.postgres import PostgresServer

NewMessage = Callable[..., MessageRecord]


@pytest.fixture
def role(postgres: PostgresServer) -> Iterator[str]:
    """A role of this test's own, which may do everything."""
    name = f"role_{uuid.uuid4().hex}"
    postgres.execute(f"CREATE ROLE {name} LOGIN SUPERUSER")
    yield name
    postgres.execute(f"DROP ROLE {name}")


@pytest.fixture
def pooler(postgres: PostgresServer, role: str) -> Iterator[PgbouncerServer]:
    """A pgbouncer that ignores our options, as everybody sets it."""
    with PgbouncerServer(postgres, user=role, ignores_options=True) as server:
        yield server


def database_name(url: str) -> str:
    return url.rpartition("/")[2]


async def test_a_commit_that_would_not_wait_for_the_disk_is_refused(
    postgres: PostgresServer, role: str, pooler: PgbouncerServer, migrated_postgres_url: str
) -> None:
    postgres.execute(f"ALTER ROLE {role} SET synchronous_commit = off")
    settings = LedgerSettings(
        url=ServerUrl(pooler.database_url(database_name(migrated_postgres_url)))
    )
    database = open_database(settings)
    with pytest.raises(LedgerUnavailable, match="synchronous_commit is off"):
        await missing_migrations(database)  # what a worker begins with
    with pytest.raises(LedgerUnavailable, match="ALTER ROLE CURRENT_USER"):
        await database.ping()
    await database.close()
    (faulty,) = await check_ledger(settings, migrate=False)
    assert faulty.level is Level.FAULT
    assert "synchronous_commit is off" in faulty.sentence


async def test_settings_that_were_dropped_are_said_until_the_role_has_them(
    postgres: PostgresServer, role: str, pooler: PgbouncerServer, migrated_postgres_url: str
) -> None:
    name = database_name(migrated_postgres_url)
    settings = LedgerSettings(url=ServerUrl(pooler.database_url(name)))
    said = await check_ledger(settings, migrate=False)
    (dropped,) = [each.sentence for each in said if each.level is Level.HINT]
    assert "(statement_timeout, plan_cache_mode)" in dropped
    postgres.execute(f"ALTER ROLE {role} SET statement_timeout = '5s'")
    postgres.execute(f"ALTER ROLE {role} SET plan_cache_mode = force_custom_plan")
    pooler.restart()  # a role's settings are those of its next connection
    said = await check_ledger(settings, migrate=False)
    assert {each.level for each in said} == {Level.FINE}


async def test_the_ledger_works_behind_a_pooler(
    pooler: PgbouncerServer, migrated_postgres_url: str, new_message: NewMessage
) -> None:
    name = database_name(migrated_postgres_url)
    settings = LedgerSettings(url=ServerUrl(pooler.database_url(name)))
    database = open_database(settings)
    ledger = MessageLedger(database, settings, SystemClock(), Metrics())
    claims = ClaimGroup(database, SystemClock(), worker="worker-1", lease_seconds=15)

    async def answer() -> None:
        message = new_message()
        await ledger.accept(message)
        assert (await ledger.find(message.id)) is not None
        (claimed,) = await claims.flush([message.id])
        assert claimed is not None
        assert await claims.renew([Lease(message.id, 1)]) >= {Lease(message.id, 1)}
        assert await ledger.settle(
            Settlement(
                message_id=message.id,
                tenant_id=message.tenant_id,
                attempt=1,
                state=ResponseState.COMPLETED,
                finished_at=SystemClock().now(),
            )
        )

    # As many at once as change sessions, past where psycopg begins to prepare its statements.
    for _ in range(12):
        await asyncio.gather(*(answer() for _ in range(4)))
    await ledger.close()
    await database.close()


async def test_a_pooler_that_refuses_our_options_is_told_in_its_words(
    postgres: PostgresServer, role: str
) -> None:
    with PgbouncerServer(postgres, user=role, ignores_options=False) as pooler:
        (faulty,) = await check_ledger(LedgerSettings(url=ServerUrl(pooler.url)), migrate=False)
    assert faulty.level is Level.FAULT
    assert "unsupported startup parameter" in faulty.sentence


async def test_a_database_that_is_read_only_may_not_be_started_with(
    postgres: PostgresServer, migrated_postgres_url: str
) -> None:
    name = database_name(migrated_postgres_url)
    postgres.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    said = await check_ledger(LedgerSettings(url=ServerUrl(migrated_postgres_url)), migrate=False)
    (faulty,) = [each for each in said if each.level is Level.FAULT]
    assert "cannot be written: its transactions are read-only" in faulty.sentence


async def test_a_grant_that_is_missing_is_named(
    postgres: PostgresServer, migrated_postgres_url: str
) -> None:
    name = f"role_{uuid.uuid4().hex}"
    postgres.execute(f"CREATE ROLE {name} LOGIN")
    url = migrated_postgres_url.replace("//forebay@", f"//{name}@")
    postgres.execute_in(
        database_name(migrated_postgres_url),
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {name};"
        f"REVOKE UPDATE ON message FROM {name}",
    )
    said = await check_ledger(LedgerSettings(url=ServerUrl(url)), migrate=False)
    (faulty,) = [each for each in said if each.level is Level.FAULT]
    assert "UPDATE on message" in faulty.sentence
    postgres.execute_in(database_name(migrated_postgres_url), f"DROP OWNED BY {name}")
    postgres.execute(f"DROP ROLE {name}")
