"""Bring a database to the shape this code expects.

Alembic is loaded only where there is something to do: most processes find that nothing is missing.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, inspect, text

from shared.persistence.engine import Database
from shared.persistence.statements import transaction

if TYPE_CHECKING:
    from alembic.config import Config

_LOCK = 0x0F0_4EBA  # any number that only we use
_MIGRATIONS: Final = Path(__file__).with_name("migrations")


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
    async with transaction(database.durable) as connection:
        current = await connection.run_sync(_current)
    return [] if current == newest_revision() else _revisions_after(current)


def newest_revision() -> str:
    """The last of our migrations: their files are numbered by revision."""
    return max(file.name.partition("_")[0] for file in _MIGRATIONS.glob("versions/[0-9]*.py"))


def _revisions_after(current: str | None) -> list[str]:
    from alembic.script import ScriptDirectory

    script = ScriptDirectory.from_config(_config())
    return [
        revision.revision
        for revision in reversed(list(script.iterate_revisions("heads", current or "base")))
    ]


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config


def _upgrade(connection: Connection) -> None:
    from alembic import command

    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _current(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    current: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return current
