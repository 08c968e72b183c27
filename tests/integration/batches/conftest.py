"""A migrated ledger on either database, and the batches in it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from shared.batches.catalogue import BatchCatalogue
from shared.batches.items import BatchItems
from shared.clock import ManualClock
from shared.persistence.engine import Database, open_database
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings

from .bench import Bench


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def ledger_settings(migrated_ledger_url: str) -> LedgerSettings:
    return LedgerSettings(url=ServerUrl(migrated_ledger_url), attempt_limit=2, timeout_seconds=60.0)


@pytest.fixture
async def database(ledger_settings: LedgerSettings) -> AsyncIterator[Database]:
    opened = open_database(ledger_settings)
    yield opened
    await opened.close()


@pytest.fixture
def catalogue(database: Database, clock: ManualClock) -> BatchCatalogue:
    return BatchCatalogue(database, clock)


@pytest.fixture
def items(database: Database) -> BatchItems:
    return BatchItems(database)


@pytest.fixture
def bench(database: Database, clock: ManualClock) -> Bench:
    return Bench(database, clock)


@pytest.fixture
async def sqlite_bench(migrated_sqlite_url: str, clock: ManualClock) -> AsyncIterator[Bench]:
    """For what has nothing to do with the database."""
    opened = open_database(LedgerSettings(url=ServerUrl(migrated_sqlite_url), timeout_seconds=60.0))
    yield Bench(opened, clock)
    await opened.close()
