"""SQLite's connections: one writer at a time, readers beside it, no lock that outlives its task."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, Final

from sqlalchemy import event, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from shared.settings.servers import LedgerSettings

READS_ONLY: Final = {"reads_only": True}
"""Execution options of a connection whose next transaction writes nothing."""


def open_sqlite(settings: LedgerSettings, synchronous: str) -> AsyncEngine:
    """An engine for the ledger's file, in WAL mode; nothing connects before it is needed.

    A transaction takes the write lock at its beginning, or fails with "database is locked" after
    `timeout_seconds`; one that reads only never asks for it.
    """
    engine = create_async_engine(
        make_url(settings.url),
        pool_size=2,
        max_overflow=0,
        pool_timeout=settings.timeout_seconds,
        hide_parameters=True,
        connect_args={"timeout": settings.timeout_seconds},
    )

    @event.listens_for(engine.sync_engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        # SQLAlchemy says BEGIN itself: pysqlite's own guess would start reads as writers' equals
        # and fail them later with "database is locked".
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            f"synchronous={synchronous}",
            f"busy_timeout={int(settings.timeout_seconds * 1000)}",
            "foreign_keys=ON",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Any) -> None:
        reads = connection.get_execution_options().keys() & READS_ONLY
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    _let_go_when_cancelled(engine)
    return engine


def _let_go_when_cancelled(engine: AsyncEngine) -> None:
    """Roll back what a cancelled task had begun, before its connection is closed.

    SQLite keeps a connection, and the lock it holds, until the last of its statements has been
    freed, and what a cancelled task was reading is freed when its error is: some time later.
    """
    rollbacks: set[asyncio.Task[None]] = set()

    async def roll_back(driver: Any) -> None:
        with suppress(Exception):  # it has been closed, which is as good
            await driver.rollback()

    @event.listens_for(engine.sync_engine, "invalidate")
    def _let_go(connection: Any, _record: object, _error: object) -> None:
        # A task of its own, for this one may be cancelled again. It comes before the closing:
        # both are queued in the connection's thread.
        with suppress(RuntimeError):  # there is no loop any more, and no thread to close it in
            loop = asyncio.get_running_loop()
            task = loop.create_task(roll_back(connection.driver_connection))
            rollbacks.add(task)
            task.add_done_callback(rollbacks.discard)
