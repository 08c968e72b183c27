"""Transactions of several statements that hold SQLite's lock for as long as the statements take."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, create_engine, event, exc, make_url

from shared.persistence.sqlite.opening import PRAGMAS
from shared.persistence.sqlite.write_lock import take_write_lock
from shared.settings.servers import LedgerSettings

Given = TypeVar("Given")
Work = Callable[[Connection], Given]

_DRIVER: Final = "sqlite+pysqlite"


class WholeSqliteTransactions:
    """Runs each from BEGIN to COMMIT in one thread, on a connection that nothing else uses.

    Between two statements that go to a thread one by one, the lock is held for as long as the
    event loop is busy with something else. Whoever is cancelled leaves his transaction to its end.
    """

    def __init__(self, settings: LedgerSettings) -> None:
        self._timeout_seconds = settings.timeout_seconds
        self._engine = create_engine(
            make_url(settings.url).set(drivername=_DRIVER),
            hide_parameters=True,
            connect_args={"timeout": settings.timeout_seconds, "isolation_level": None},
        )
        self._thread: ThreadPoolExecutor | None = None

        @event.listens_for(self._engine, "connect")
        def _prepare(connection: sqlite3.Connection, _record: object) -> None:
            for pragma in PRAGMAS:
                connection.execute(f"PRAGMA {pragma}")

    async def commit(self, work: Work[Given], *, synchronous: str) -> Given:
        """What the work gives, once all that it wrote is committed. Raises DBAPIError."""
        loop = asyncio.get_running_loop()
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, "sqlite-whole")
        return await loop.run_in_executor(self._thread, self._run, work, synchronous)

    def _run(self, work: Work[Given], synchronous: str) -> Given:
        with self._engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            driver.execute(f"PRAGMA synchronous={synchronous}")
            with connection.begin():
                try:
                    take_write_lock(driver.cursor(), timeout_seconds=self._timeout_seconds)
                except sqlite3.Error as error:
                    raise exc.OperationalError(None, None, error, hide_parameters=True) from error
                return work(connection)

    async def close(self) -> None:
        """Do what waits, and let go of the connection; whoever asks after that opens another."""
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.submit(self._engine.dispose)
            await asyncio.to_thread(thread.shutdown)
