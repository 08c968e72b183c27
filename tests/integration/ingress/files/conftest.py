"""What is left of files in the ledger of the door."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from shared.files.tables import content, stored_file
from shared.persistence.engine import Database, open_database
from shared.persistence.statements import reading
from shared.settings import Settings


class Remains:
    """Looks into the ledger behind the door."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def files(self) -> int:
        """Files that somebody can find."""
        async with reading(self.database.relaxed) as connection:
            return await connection.scalar(select(func.count()).select_from(stored_file)) or 0

    async def held(self) -> int:
        """Contents that no sweep would remove by now."""
        removable = content.c.removable_at
        held = select(func.count()).where(removable.is_(None) | (removable > datetime.now(UTC)))
        async with reading(self.database.relaxed) as connection:
            return await connection.scalar(held) or 0


@pytest.fixture
async def remains(settings: Settings) -> AsyncIterator[Remains]:
    database = open_database(settings.ledger)
    yield Remains(database)
    await database.close()
