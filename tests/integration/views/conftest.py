"""A migrated ledger on either database, and rows to put into it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from shared.clock import ManualClock
from shared.persistence.engine import Database, open_database
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings

from .shelf import ViewedLedger


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def database(migrated_ledger_url: str) -> AsyncIterator[Database]:
    opened = open_database(LedgerSettings(url=ServerUrl(migrated_ledger_url), timeout_seconds=60.0))
    yield opened
    await opened.close()


@pytest.fixture
def viewed(database: Database, clock: ManualClock) -> ViewedLedger:
    return ViewedLedger(database, clock)
