"""The migrations make the tables that the code reads and writes."""

from __future__ import annotations

from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from shared.persistence.engine import Database
from shared.persistence.statements import connected
from shared.persistence.tables import metadata


async def test_the_migrations_make_the_tables_of_the_code(database: Database) -> None:
    async with connected(database.durable) as connection:
        assert await connection.run_sync(_differences) == []


def _differences(connection: Connection) -> list[Any]:
    options = {"compare_type": True, "include_name": _is_ours}
    context = MigrationContext.configure(connection, opts=options)
    return list(compare_metadata(context, metadata))


def _is_ours(name: str | None, kind: str, _parents: object) -> bool:
    return kind != "table" or name in metadata.tables
