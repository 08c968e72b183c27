"""Bring a database to the shape this code expects."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from shared.persistence.engine import Database
from shared.persistence.statements import transaction

_LOCK = 0x0F0_4EBA  # any number that only we use


async def apply_migrations(database: Database) -> None:
    """Apply what is missing; side by side with others, one does it and the rest wait.

    Raises LedgerUnavailable.
    """
    async with transaction(database.durable) as connection:
        if not database.is_sqlite:
            await connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
        await connection.run_sync(_upgrade)


async def missing_migrations(database: Database) -> list[str]:
    """The revisions that this database lacks, oldest first; raises LedgerUnavailable."""
    async with transaction(database.relaxed) as connection:
        current = await connection.run_sync(_current)
    script = ScriptDirectory.from_config(_config())
    return [
        revision.revision
        for revision in reversed(list(script.iterate_revisions("heads", current or "base")))
    ]


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    return config


def _upgrade(connection: Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()
