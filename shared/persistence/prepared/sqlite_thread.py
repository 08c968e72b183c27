"""SQLite with no layer in between: one connection, used in one thread."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, Final, NamedTuple, TypeVar

from sqlalchemy import Dialect, Table, exc, make_url

from shared.persistence.columns import StoredColumns
from shared.persistence.sqlite.opening import PRAGMAS
from shared.persistence.sqlite.write_lock import await_write_lock
from shared.persistence.statements import ledger_errors
from shared.settings.servers import LedgerSettings

Given = TypeVar("Given")
Work = Callable[[sqlite3.Connection], Given]

_ABOUT_VALUES: Final = (
    sqlite3.IntegrityError,
    sqlite3.DataError,
    sqlite3.InterfaceError,
    OverflowError,
    UnicodeError,
)


class _Job(NamedTuple):
    work: Work[Any]
    future: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop


class SqliteThread:
    """Does one piece of work after the other on a connection that nobody else uses.

    Whoever is cancelled while it waits leaves its work in the queue: it is done all the same, and
    so no lock outlives its task. The thread begins with the first piece of work.
    """

    def __init__(self, settings: LedgerSettings) -> None:
        self._settings = settings
        self._synchronous = ""
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    async def run(self, work: Work[Given]) -> Given:
        """What the work gives.

        Raises LedgerUnavailable, and DBAPIError for a value that the database refuses.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Given] = loop.create_future()
        if self._thread is None:
            self._thread = threading.Thread(target=self._live, name="sqlite", daemon=True)
            self._thread.start()
        self._jobs.put(_Job(work, future, loop))
        with ledger_errors():
            return await future

    def begin(self, connection: sqlite3.Connection, synchronous: str) -> None:
        """Begin a transaction that writes, of whoever runs in the thread; its commit is so durable.

        Each statement lets another thread have the interpreter: what is set is not set again.
        """
        if synchronous != self._synchronous:
            connection.execute("PRAGMA busy_timeout=0")  # whoever writes has a patience of its own
            connection.execute(f"PRAGMA synchronous={synchronous}")
            self._synchronous = synchronous
        await_write_lock(connection.cursor(), timeout_seconds=self._settings.timeout_seconds)

    async def close(self) -> None:
        """Do what waits, then end; whoever asks after that begins another thread."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._jobs.put(None)
            await asyncio.to_thread(thread.join)

    def _live(self) -> None:
        connection: sqlite3.Connection | None = None
        while (job := self._jobs.get()) is not None:
            given: Any = None
            error: BaseException | None = None
            try:
                if connection is None:
                    connection = self._connected()
                given = job.work(connection)
            except _ABOUT_VALUES as refused:
                error = exc.DataError(None, None, refused, hide_parameters=True)
            except sqlite3.Error as failed:
                error = exc.OperationalError(None, None, failed, hide_parameters=True)
                _let_go(connection)
                connection = None
            except Exception as failed:  # noqa: BLE001 - it is raised where it was asked for
                error = failed
            with suppress(RuntimeError):  # there is no loop any more that would hear of it
                job.loop.call_soon_threadsafe(_tell, job.future, given, error)
        _let_go(connection)

    def _connected(self) -> sqlite3.Connection:
        file, seconds = make_url(self._settings.url).database or "", self._settings.timeout_seconds
        # It says BEGIN itself: the module's own guess would start reads as writers' equals.
        connection = sqlite3.connect(file, timeout=seconds, isolation_level=None)
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        self._synchronous = ""
        return connection


def _let_go(connection: sqlite3.Connection | None) -> None:
    with suppress(sqlite3.Error):
        if connection is not None:
            connection.close()


def _tell(future: asyncio.Future[Any], given: Any, error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(given)
    else:
        future.set_exception(error)


class SqliteReader:
    """A thread's connection, for statements that write nothing."""

    def __init__(self, thread: SqliteThread) -> None:
        self._thread = thread

    async def rows(self, statement: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """What the statement returns. Raises LedgerUnavailable."""
        return await self.read(lambda connection: _rows(connection, statement, values))

    async def read(self, work: Work[Given]) -> Given:
        """What the work gives. Raises LedgerUnavailable."""
        return await self._thread.run(work)

    async def close(self) -> None:
        await self._thread.close()


class SqliteWriter:
    """A thread's connection, for transactions that write; `synchronous` says how durable they are.

    Writers of one process wait for each other in the thread's queue, in the order in which they
    came: SQLite itself lets them ask again after a while.
    """

    def __init__(self, thread: SqliteThread, synchronous: str) -> None:
        self._thread = thread
        self._synchronous = synchronous

    async def rows(self, statement: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """What the statement returns; it is committed then.

        Raises LedgerUnavailable, and DBAPIError for a value that the database refuses.
        """
        return await self.commit(lambda connection: _rows(connection, statement, values))

    async def commit(self, work: Work[Given]) -> Given:
        """What the work gives, once all that it wrote is committed. Raises the same."""

        def transaction(connection: sqlite3.Connection) -> Given:
            self._thread.begin(connection, self._synchronous)
            try:
                given = work(connection)
                connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):  # it is closed then, which is as good
                    connection.execute("ROLLBACK")
                raise
            return given

        return await self._thread.run(transaction)

    async def close(self) -> None:
        await self._thread.close()


def _rows(
    connection: sqlite3.Connection, statement: str, values: Mapping[str, Any]
) -> list[tuple[Any, ...]]:
    return connection.execute(statement, values).fetchall()


class NewRows:
    """Inserts rows with these columns, but for those that are there already.

    SQLite takes no list of them, and needs none: a statement that is run again is not read again.
    """

    def __init__(self, table: Table, names: Sequence[str], dialect: Dialect) -> None:
        marks = ", ".join("?" * len(names))
        self._text = (
            f"INSERT INTO {table.name} ({', '.join(names)})"  # noqa: S608 - our own names
            f" VALUES ({marks}) ON CONFLICT DO NOTHING"
        )
        self._newest = (
            f"SELECT {', '.join(names)} FROM {table.name}"  # noqa: S608 - the same
            " ORDER BY rowid DESC LIMIT ?"
        )
        self._columns = StoredColumns([table.c[name] for name in names], dialect)

    def spelt(self, row: Sequence[Any]) -> list[Any]:
        """A row as `insert` takes it; what costs time is done where nobody waits for the lock."""
        return self._columns.spelt(row)

    def insert(self, connection: sqlite3.Connection, rows: Sequence[Sequence[Any]]) -> int:
        """How many of them were not there."""
        return connection.executemany(self._text, rows).rowcount

    def newest(self, connection: sqlite3.Connection, count: int) -> list[tuple[Any, ...]]:
        """So many rows that were inserted last, as the database has them."""
        return connection.execute(self._newest, (count,)).fetchall()
