"""Connections that accepting keeps: what becomes of them when Postgres ends them or refuses."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shared.clock import ManualClock
from shared.errors import LedgerUnavailable
from shared.persistence.engine import Database, open_database
from shared.persistence.ledger.message_ledger import MessageLedger
from shared.persistence.ledger.records import Accepted
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings
from shared.telemetry.metrics import Metrics

from .conftest import NewMessage

_END_OTHERS = text(
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
_OTHERS = text(
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@pytest.fixture
def migrated_ledger_url(migrated_postgres_url: str) -> str:
    return migrated_postgres_url


async def test_connections_that_were_ended_fail_one_group_and_no_more(
    database: Database, ledger: MessageLedger, new_message: NewMessage
) -> None:
    crowd = [new_message() for _ in range(300)]
    assert all(
        isinstance(one, Accepted) for one in await asyncio.gather(*map(ledger.accept, crowd))
    )
    async with database.relaxed.connect() as connection:
        assert await connection.scalar(_OTHERS) == 2
        assert await connection.scalar(_END_OTHERS) == 2
    with pytest.raises(LedgerUnavailable):
        await ledger.accept(new_message())
    assert isinstance(await ledger.accept(new_message()), Accepted)


async def test_a_refused_value_costs_neither_its_neighbours_nor_the_connection(
    database: Database, ledger: MessageLedger, new_message: NewMessage
) -> None:
    good, bad = new_message(), new_message(body='{"input":"a\0b"}')
    first = asyncio.gather(ledger.accept(good), ledger.accept(bad), return_exceptions=True)
    accepted, refused = await first
    assert isinstance(accepted, Accepted)
    assert isinstance(refused, DBAPIError)
    assert isinstance(await ledger.accept(new_message()), Accepted)
    async with database.relaxed.connect() as connection:
        assert await connection.scalar(_OTHERS) == 1


async def test_a_pool_of_one_keeps_none_for_accepting(
    migrated_ledger_url: str, clock: ManualClock, new_message: NewMessage
) -> None:
    settings = LedgerSettings(url=ServerUrl(migrated_ledger_url), pool_size=1, timeout_seconds=2)
    database = open_database(settings)
    ledger = MessageLedger(database, settings, clock, Metrics())
    message = new_message()
    await ledger.accept(message)
    assert await ledger.cancel(message.id, tenant_id=message.tenant_id) is not None
    await ledger.close()
    await database.close()
