"""Databases that already have the ledger's tables."""

from __future__ import annotations

import asyncio

from shared.persistence.engine import open_database
from shared.persistence.migrating import apply_migrations
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings


def migrate(url: str) -> None:
    """Applies every migration and lets go of the database."""
    asyncio.run(_migrate(LedgerSettings(url=ServerUrl(url), timeout_seconds=30)))


async def _migrate(settings: LedgerSettings) -> None:
    database = open_database(settings)
    try:
        await apply_migrations(database)
    finally:
        await database.close()
