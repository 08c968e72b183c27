"""The console takes no connection of the messages, and no longer than its time."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from ingress.console.surface import open_console_database
from shared.errors import LedgerUnavailable
from shared.persistence.statements import reading
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings

ENDLESS = {
    True: "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n",
    False: "SELECT pg_sleep(600)",
}


async def test_a_statement_that_takes_too_long_is_given_up_and_the_next_one_runs(
    migrated_ledger_url: str,
) -> None:
    settings = LedgerSettings(url=ServerUrl(migrated_ledger_url), timeout_seconds=0.5)
    database = open_console_database(settings)
    try:
        with pytest.raises(LedgerUnavailable):
            async with reading(database.relaxed) as connection:
                await connection.execute(text(ENDLESS[database.is_sqlite]))
        async with reading(database.relaxed) as connection:
            assert await connection.scalar(text("SELECT 1")) == 1
    finally:
        await database.close()
