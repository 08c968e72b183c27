"""A collection in an empty ledger, and all that writes to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from sqlalchemy import delete

import shared.index.tables as tables
from shared.clock import ManualClock
from shared.persistence.engine import Database, open_database
from shared.persistence.statements import transaction
from shared.settings.servers import LedgerSettings
from tests.integration.persistence.conftest import clock, settings
from tests.servers.postgres import PostgresServer

from .index_ledger import IndexLedger, open_index

__all__ = ["clock", "settings"]


@pytest.fixture(scope="session")
def kept_postgres_url(postgres: PostgresServer, migrated_template: str) -> Iterator[str]:
    """One for all tests of this folder: to make one takes longer than most of them."""
    database = postgres.create_database(template=migrated_template)
    yield postgres.database_url(database)
    postgres.drop_database(database)


@pytest.fixture(params=["postgres", "sqlite"])
def migrated_ledger_url(request: pytest.FixtureRequest) -> str:
    names = {"postgres": "kept_postgres_url", "sqlite": "migrated_sqlite_url"}
    url: str = request.getfixturevalue(names[request.param])
    return url


@pytest.fixture
async def database(settings: LedgerSettings) -> AsyncIterator[Database]:
    """With no row of the index."""
    opened = open_database(settings)
    async with transaction(opened.relaxed) as connection:
        for name in tables.__all__:
            await connection.execute(delete(getattr(tables, name)))
    yield opened
    await opened.close()


@pytest.fixture
async def index(database: Database, clock: ManualClock) -> IndexLedger:
    return await open_index(database, clock)
