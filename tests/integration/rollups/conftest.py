"""Figures on either database."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import insert

from shared.clock import ManualClock
from shared.persistence.engine import Database, open_database
from shared.persistence.statements import transaction
from shared.rollups.delta import Delta, encode_delta
from shared.rollups.tables import rollup_delta
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def database(migrated_ledger_url: str) -> AsyncIterator[Database]:
    opened = open_database(LedgerSettings(url=ServerUrl(migrated_ledger_url)))
    yield opened
    await opened.close()


async def append(database: Database, *deltas: Delta) -> None:
    """What so many transactions left."""
    async with transaction(database.durable) as connection:
        for delta in deltas:
            await connection.execute(insert(rollup_delta).values(figures=encode_delta(delta)))
