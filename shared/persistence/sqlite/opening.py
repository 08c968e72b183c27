"""SQLite's connections: one writer at a time, readers beside it, no lock that outlives its task."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import event, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from shared.settings.servers import LedgerSettings

READS_ONLY: Final = {"reads_only": True}
"""Execution options of a connection whose next transaction writes nothing."""

PRAGMAS: Final = ("journal_mode=WAL", "foreign_keys=ON")
"""What every connection to the ledger's file begins with."""


def open_sqlite(
    settings: LedgerSettings, synchronous: str, *, statement_seconds: float | None = None
) -> AsyncEngine:
    """An engine for the ledger's file, in WAL mode; nothing connects before it is needed.

    A transaction takes the write lock at its beginning, or fails with "database is locked" after
    `timeout_seconds`; one that reads only never asks for it. A statement runs for as long as it
    takes, or for `statement_seconds`.
    """
    from shared.persistence.sqlite.connection import ThreadedSqlite  # it loads SQLite's driver

    engine = create_async_engine(
        make_url(settings.url),
        pool_size=2,
        max_overflow=0,
        pool_timeout=settings.timeout_seconds,
        hide_parameters=True,
        connect_args={
            "timeout": settings.timeout_seconds,
            "statement_seconds": statement_seconds,
            "async_creator_fn": ThreadedSqlite,
        },
    )

    @event.listens_for(engine.sync_engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        for pragma in (*PRAGMAS, f"synchronous={synchronous}"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Any) -> None:
        reads = bool(connection.get_execution_options().keys() & READS_ONLY)
        connection.connection.driver_connection.begin(reads=reads)

    return engine
