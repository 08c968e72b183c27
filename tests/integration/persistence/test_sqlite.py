"""One writer at a time on SQLite: who waits for it, and who may keep it."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from sqlalchemy import event, make_url, text

from shared.clock import SystemClock
from shared.costs.budget import Budgets
from shared.costs.prices import Prices
from shared.errors import LedgerUnavailable
from shared.persistence.engine import Database, open_database
from shared.persistence.ledger.finding import FindGroup, Sought
from shared.persistence.ledger.lane_load import LaneLoads
from shared.persistence.ledger.message_states import MessageStates
from shared.persistence.ledger.sweeping import LedgerSweeps
from shared.persistence.statements import reading, transaction
from shared.persistence.tenants import TenantRepository
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings

CLOCK = SystemClock()
READS: dict[str, Callable[[Database], Awaitable[object]]] = {
    "find": lambda database: FindGroup(database).flush([Sought("resp_1", None)]),
    "states": lambda database: MessageStates(database).of(["resp_1"]),
    "lane loads": lambda database: LaneLoads(database, CLOCK).lane_loads(),
    "due": lambda database: LedgerSweeps(database, LedgerSettings(), CLOCK).due(),
    "unsent": lambda database: LedgerSweeps(database, LedgerSettings(), CLOCK).unsent_answers(),
    "plan": lambda database: TenantRepository(database, CLOCK).plan_of("ten_1"),
    "budget": lambda database: Budgets(database, Prices((), ()), CLOCK).read("ten_1"),
}


@pytest.fixture
def settings(migrated_sqlite_url: str) -> LedgerSettings:
    return LedgerSettings(url=ServerUrl(migrated_sqlite_url), timeout_seconds=0.5)


@pytest.fixture
async def database(settings: LedgerSettings) -> AsyncIterator[Database]:
    opened = open_database(settings)
    yield opened
    await opened.close()


@pytest.fixture
def writer(settings: LedgerSettings) -> Iterator[sqlite3.Connection]:
    """Another process, as far as SQLite can tell."""
    file = make_url(settings.url).database or ""
    with closing(sqlite3.connect(file, timeout=0, isolation_level=None)) as connection:
        yield connection


@pytest.mark.parametrize("name", READS)
async def test_who_reads_waits_for_no_writer(
    database: Database, writer: sqlite3.Connection, name: str
) -> None:
    writer.execute("BEGIN IMMEDIATE")

    await READS[name](database)

    with pytest.raises(LedgerUnavailable, match="locked"):
        async with transaction(database.relaxed):
            pass


async def test_no_writer_waits_for_who_reads(
    database: Database, writer: sqlite3.Connection
) -> None:
    async with reading(database.relaxed) as connection:
        await connection.execute(text("SELECT 1 FROM message"))
        writer.execute("BEGIN IMMEDIATE")


async def test_a_cancelled_task_keeps_no_lock(
    database: Database, writer: sqlite3.Connection
) -> None:
    moment = _Moment(database)

    async def write_and_read() -> None:
        async with transaction(database.durable) as connection:
            await connection.execute(text("DELETE FROM message"))
            await connection.execute(text("SELECT it_is_read() UNION ALL SELECT 1"))

    task = asyncio.create_task(write_and_read())
    await moment.has_come.wait()
    task.cancel()
    await asyncio.sleep(0)
    moment.goes_on.set()
    with pytest.raises(asyncio.CancelledError) as kept:
        await task

    writer.execute("BEGIN IMMEDIATE")
    assert kept.tb, "what the task was reading lives as long as this"


class _Moment:
    """Stops a statement that reads, in its connection's thread."""

    def __init__(self, database: Database) -> None:
        self.has_come = asyncio.Event()
        self.goes_on = threading.Event()
        self._loop = asyncio.get_running_loop()
        event.listen(database.durable.sync_engine, "connect", self._prepare)

    def _prepare(self, connection: Any, _record: object) -> None:
        connection.run_async(lambda driver: driver.create_function("it_is_read", 0, self._stop))

    def _stop(self) -> int:
        self._loop.call_soon_threadsafe(self.has_come.set)
        assert self.goes_on.wait(10)
        return 1
