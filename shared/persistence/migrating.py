"""Bring a database to the shape this code expects.

Alembic is loaded only where there is something to do: most processes find that nothing is missing.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.errors import SettingsError
from shared.persistence.engine import Database
from shared.persistence.statements import connected, transaction
from shared.resilience.patiently import patiently

if TYPE_CHECKING:
    from alembic.config import Config

_LOCK = 0x0F0_4EBA  # any number that only we use
_LOCK_SECONDS: Final = 0.2
_MIGRATIONS: Final = Path(__file__).with_name("migrations")


async def apply_migrations(database: Database) -> None:
    """Apply what is missing; side by side with others, one does it and the rest wait.

    Raises LedgerUnavailable.
    """
    if database.is_sqlite:
        async with transaction(database.durable) as connection:
            await connection.run_sync(_upgrade)
        return
    # A connection of the other pool, since a pool may be of one.
    beside = database.relaxed.execution_options(isolation_level="READ COMMITTED")
    async with transaction(beside) as guard:
        await _lock(guard)
        async with connected(database.durable) as online:
            # However long it takes: an index of a large table is built in one statement.
            await online.execute(text("SET statement_timeout = 0"))
            await online.commit()
            await online.run_sync(_upgrade)
            await online.execute(text("RESET statement_timeout"))
            await online.commit()


async def _lock(connection: AsyncConnection) -> None:
    # Asked again and again instead of waited for: whoever builds an index online waits for every
    # statement that is older, and a waiting statement would be one.
    taken = text(f"SELECT pg_try_advisory_xact_lock({_LOCK})")
    while not await connection.scalar(taken):  # noqa: ASYNC110 - another process ends it
        await asyncio.sleep(_LOCK_SECONDS)


async def missing_migrations(database: Database) -> list[str]:
    """The revisions that this database lacks, oldest first; raises LedgerUnavailable.

    None where a later version has been here: its tables have all of ours, and while it is rolled
    out processes of this one may start again.
    """
    async with transaction(database.durable) as connection:
        current = await connection.run_sync(_current)
    is_enough = current is not None and current >= newest_revision()
    return [] if is_enough else _revisions_after(current)


async def require_migrations(database: Database) -> None:
    """Waits for the database; raises SettingsError where it lacks a revision."""
    missing = await patiently("read the ledger", lambda: missing_migrations(database))
    if missing:
        raise SettingsError(
            [f"The ledger lacks {', '.join(missing)}. Type: forebay check --migrate"]
        )


def newest_revision() -> str:
    """The last of our migrations: their files are numbered by revision."""
    return max(file.name.partition("_")[0] for file in _MIGRATIONS.glob("versions/[0-9]*.py"))


def _revisions_after(current: str | None) -> list[str]:
    from alembic.script import ScriptDirectory

    script = ScriptDirectory.from_config(alembic_config())
    return [
        revision.revision
        for revision in reversed(list(script.iterate_revisions("heads", current or "base")))
    ]


def alembic_config() -> Config:
    """Where the migrations are; with a `connection` among its attributes, on which database."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config


def _upgrade(connection: Connection) -> None:
    from alembic import command

    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def take_back(connection: Connection, revision: str) -> None:
    """Undo every migration after `revision`, for a version that is taken back."""
    from alembic import command

    config = alembic_config()
    config.attributes["connection"] = connection
    command.downgrade(config, revision)


def _current(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    current: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return current
