"""One writer at a time on SQLite: who waits for it, and who may keep it."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator, Iterator
from contextlib import closing
from types import coroutine
from typing import Any

import aiosqlite
import pytest
from msgspec.structs import replace
from sqlalchemy import event, make_url, text, update

from shared.clock import SystemClock
from shared.conversations.history import ConversationRepository
from shared.costs.budget import Budgets
from shared.costs.prices import Prices
from shared.errors import LedgerUnavailable
from shared.persistence.engine import Database, open_database
from shared.persistence.ledger.finding import FindGroup, Sought
from shared.persistence.ledger.lane_load import LaneLoads
from shared.persistence.ledger.message_states import MessageStates
from shared.persistence.ledger.sweeping import LedgerSweeps
from shared.persistence.ledger.worker_lease import WorkerLease
from shared.persistence.sqlite import write_lock
from shared.persistence.statements import reading, transaction
from shared.persistence.tables import message
from shared.persistence.tenants import TenantRepository
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings
from tests.queued_message import queued_message

CLOCK = SystemClock()
READS: dict[str, Callable[[Database], Awaitable[object]]] = {
    "recall": lambda database: ConversationRepository(database).before(
        queued_message(conversation_id="conv_1"), [], limit=10, limit_bytes=1_000
    ),
    "held": lambda database: WorkerLease(
        database, CLOCK, worker="worker-1", lease_seconds=15
    ).held(),
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
    return LedgerSettings(url=ServerUrl(migrated_sqlite_url), timeout_seconds=60.0)


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
    settings: LedgerSettings, database: Database, writer: sqlite3.Connection, name: str
) -> None:
    writer.execute("BEGIN IMMEDIATE")

    await READS[name](database)

    hasty = open_database(replace(settings, timeout_seconds=0.1))
    with pytest.raises(LedgerUnavailable, match="locked"):
        async with transaction(hasty.relaxed) as connection:
            await connection.execute(text("DELETE FROM message"))
    await hasty.close()


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


async def test_a_writer_looks_every_millisecond_whether_it_is_its_turn(
    database: Database, writer: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite's own wait sleeps longer each time, and whoever comes later goes before."""
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 100:
            other.rollback()

    monkeypatch.setattr(write_lock, "sleep", pause)
    file = make_url(str(database.durable.url)).database or ""
    options = {"isolation_level": None, "check_same_thread": False}
    with closing(sqlite3.connect(file, **options)) as other:
        other.execute("BEGIN IMMEDIATE")
        async with transaction(database.durable) as connection:
            await connection.execute(text("DELETE FROM message"))

    assert pauses == [0.001] * 100
    writer.execute("BEGIN IMMEDIATE")


async def test_a_transaction_of_one_statement_takes_two_trips_to_its_thread(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever holds the write lock holds it over every trip."""
    trips: list[object] = []
    execute = aiosqlite.Connection._execute

    async def travel(connection: aiosqlite.Connection, run: Any, *rest: Any) -> Any:
        trips.append(run)
        return await execute(connection, run, *rest)

    async def told() -> int:
        trips.clear()
        async with transaction(database.relaxed) as connection:
            updated = update(message).values(wakes=0).returning(message.c.id)
            assert (await connection.execute(updated)).all() == []
        return len(trips)

    await told()  # connects
    monkeypatch.setattr(aiosqlite.Connection, "_execute", travel)

    assert await told() == 2


async def test_a_task_that_gives_up_waiting_keeps_no_lock(
    database: Database, writer: sqlite3.Connection
) -> None:
    """A time limit is an exception at the await: nothing is cancelled then."""

    async def write() -> None:
        async with transaction(database.durable) as connection:
            await connection.execute(text("DELETE FROM message"))

    await write()  # connects
    writer.execute("BEGIN IMMEDIATE")
    waiting = write()
    waiting.send(None)
    asyncio.get_running_loop().call_later(0.1, writer.rollback)
    with pytest.raises(ZeroDivisionError):
        await _thrown(waiting, ZeroDivisionError())

    writer.execute("BEGIN IMMEDIATE")


@coroutine
def _thrown(
    work: Coroutine[object, object, None], error: Exception
) -> Generator[object, object, None]:
    """Go on with it as if what it waits for had raised this."""
    awaited = work.throw(error)
    while True:
        try:
            awaited = work.send((yield awaited))
        except StopIteration:
            return


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
        assert self.goes_on.wait(60)
        return 1
