"""A collection in an empty ledger, and all that writes to it."""

from __future__ import annotations

import pytest

from shared.clock import ManualClock
from shared.persistence.engine import Database
from tests.integration.persistence.conftest import clock, database, settings

from .index_ledger import IndexLedger, open_index

__all__ = ["clock", "database", "settings"]


@pytest.fixture
async def index(database: Database, clock: ManualClock) -> IndexLedger:
    return await open_index(database, clock)
