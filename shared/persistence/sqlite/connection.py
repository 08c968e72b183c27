"""One SQLite connection in its thread: one trip there for a statement, and a writer's patience."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final

import aiosqlite

from shared.persistence.sqlite.cursor import SqliteCursor, SqliteResult, Statement
from shared.persistence.sqlite.write_lock import take_write_lock

_CHUNK: Final = 64
_STEPS: Final = 20_000
"""Of SQLite's machine between two looks at the clock: less than a millisecond."""


class ThreadedSqlite(aiosqlite.Connection):
    """What SQLAlchemy asks of a connection, with as few trips to its thread as can be.

    A trip takes longer than most statements do, and whoever holds the write lock holds it over all
    of them: BEGIN goes with the first statement, and a statement comes back with all its rows.
    """

    def __init__(
        self, file: str, *, timeout: float, statement_seconds: float | None = None, **options: Any
    ) -> None:
        """A statement that takes longer than `statement_seconds` is given up as interrupted."""
        connect = partial(sqlite3.connect, file, timeout=timeout, isolation_level=None, **options)
        super().__init__(connect, _CHUNK)
        self._thread.daemon = True
        self._timeout_seconds = timeout
        self._statement_seconds = statement_seconds
        self._begins: str | None = None
        self._has_begun = False

    def begin(self, *, reads: bool) -> None:
        """The next statement begins a transaction; unless it only reads, with the write lock."""
        self._begins = "BEGIN" if reads else "BEGIN IMMEDIATE"

    def cursor(self) -> SqliteCursor:  # type: ignore[override]  # of aiosqlite's all that is asked
        """A cursor for one statement."""
        return SqliteCursor(self._ran)

    async def commit(self) -> None:
        """Nothing where no statement was run."""
        await self._end(super().commit)

    async def rollback(self) -> None:
        """The same. It comes after a statement that is still under way when its task gave up."""
        await self._end(super().rollback)

    async def _end(self, end: Callable[[], Awaitable[None]]) -> None:
        self._begins = None
        if self._has_begun:
            await end()
            self._has_begun = False

    async def _ran(self, run: Statement) -> SqliteResult:
        """What the statement gave, in a transaction where one was to begin with it."""
        self._has_begun |= self._begins is not None
        result: SqliteResult = await self._execute(self._run, self._begins, run)  # type: ignore[no-untyped-call]
        return result

    def _run(self, begins: str | None, run: Statement) -> SqliteResult:
        cursor = self._conn.cursor()
        try:
            if begins == "BEGIN IMMEDIATE":
                take_write_lock(cursor, timeout_seconds=self._timeout_seconds)
            elif begins:
                cursor.execute(begins)
            self._begins = None  # it has begun; where it did not, the next statement tries again
            if self._statement_seconds is not None:
                until = time.monotonic() + self._statement_seconds
                self._conn.set_progress_handler(lambda: time.monotonic() > until, _STEPS)
            run(cursor)
            rows = cursor.fetchall() if cursor.description else []
            return SqliteResult(cursor.description, rows, cursor.rowcount, cursor.lastrowid)
        finally:
            cursor.close()  # what is not freed keeps its connection, and so the lock
