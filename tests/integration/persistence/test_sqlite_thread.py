"""SQLite's thread: what is given to it is done whole or not at all, whoever waits for it."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import closing

import pytest
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError

from shared.errors import LedgerUnavailable
from shared.persistence.prepared.sqlite_thread import SqliteReader, SqliteThread, SqliteWriter
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings

_LEASE = "INSERT INTO worker_lease (worker, lease_until) VALUES (:worker, '2026-01-01')"
_LEASES = "SELECT worker FROM worker_lease ORDER BY worker"


@pytest.fixture
def settings(migrated_sqlite_url: str) -> LedgerSettings:
    return LedgerSettings(url=ServerUrl(migrated_sqlite_url), timeout_seconds=0.3)


@pytest.fixture
async def writer(settings: LedgerSettings) -> AsyncIterator[SqliteWriter]:
    opened = SqliteWriter(SqliteThread(settings), "FULL")
    yield opened
    await opened.close()


@pytest.fixture
def other(settings: LedgerSettings) -> Iterator[sqlite3.Connection]:
    """Another process, as far as SQLite can tell."""
    file = make_url(settings.url).database or ""
    with closing(sqlite3.connect(file, timeout=0, isolation_level=None)) as connection:
        yield connection


async def test_whoever_is_cancelled_leaves_neither_a_lock_nor_a_half_of_its_work(
    writer: SqliteWriter, other: sqlite3.Connection
) -> None:
    loop, begun, goes_on = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def write(connection: sqlite3.Connection) -> None:
        connection.execute(_LEASE, {"worker": "first"})
        loop.call_soon_threadsafe(begun.set)
        assert goes_on.wait(60)
        connection.execute(_LEASE, {"worker": "second"})

    task = asyncio.create_task(writer.commit(write))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    goes_on.set()
    assert await writer.rows(_LEASES, {}) == [("first",), ("second",)]
    other.execute("BEGIN IMMEDIATE")


async def test_what_fails_is_rolled_back_and_the_next_goes_on(
    writer: SqliteWriter, other: sqlite3.Connection
) -> None:
    def write(connection: sqlite3.Connection) -> None:
        connection.execute(_LEASE, {"worker": "first"})
        connection.execute("SELECT no_such_column FROM worker_lease")

    def fail(connection: sqlite3.Connection) -> None:
        connection.execute(_LEASE, {"worker": "first"})
        raise LookupError("ours")

    with pytest.raises(LedgerUnavailable, match="no such column"):
        await writer.commit(write)
    with pytest.raises(LookupError, match="ours"):
        await writer.commit(fail)
    assert await writer.rows(_LEASES, {}) == []
    other.execute("BEGIN IMMEDIATE")


async def test_a_value_that_is_refused_is_no_outage(writer: SqliteWriter) -> None:
    await writer.rows(_LEASE, {"worker": "first"})
    for worker in ("first", "\ud800", 2**63):
        with pytest.raises(DBAPIError):
            await writer.rows(_LEASE, {"worker": worker})
    assert await writer.rows(_LEASES, {}) == [("first",)]


async def test_a_lock_that_is_held_too_long_is_an_outage_for_who_waits_and_no_longer(
    writer: SqliteWriter, other: sqlite3.Connection
) -> None:
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(LedgerUnavailable, match="locked"):
        await writer.rows(_LEASE, {"worker": "first"})
    other.execute("ROLLBACK")
    await writer.rows(_LEASE, {"worker": "first"})
    assert await writer.rows(_LEASES, {}) == [("first",)]


async def test_who_reads_waits_for_no_writer(
    settings: LedgerSettings, other: sqlite3.Connection
) -> None:
    reader = SqliteReader(SqliteThread(settings))
    other.execute("BEGIN IMMEDIATE")
    other.execute(_LEASE, {"worker": "first"})
    assert await reader.rows(_LEASES, {}) == []
    other.execute("COMMIT")
    assert await reader.rows(_LEASES, {}) == [("first",)]
    await reader.close()


async def test_only_what_is_durable_waits_for_the_disk(settings: LedgerSettings) -> None:
    thread = SqliteThread(settings)
    found = []
    for synchronous in ("FULL", "NORMAL", "FULL"):
        writer = SqliteWriter(thread, synchronous)
        found += await writer.rows("PRAGMA synchronous", {})
    assert found == [(2,), (1,), (2,)]
    await thread.close()


async def test_a_thread_that_was_closed_ends_and_another_begins(settings: LedgerSettings) -> None:
    before = threading.active_count()
    writer = SqliteWriter(SqliteThread(settings), "FULL")
    for worker in ("first", "second"):
        await writer.rows(_LEASE, {"worker": worker})
        await writer.close()
    assert not [each for each in threading.enumerate() if each.name == "sqlite"]
    assert threading.active_count() <= before + 1, "asyncio's own, which joins"
    assert await writer.rows(_LEASES, {}) == [("first",), ("second",)]
    await writer.close()


async def test_what_was_set_of_a_connection_that_was_given_up_is_set_of_the_next(
    settings: LedgerSettings, other: sqlite3.Connection
) -> None:
    writer = SqliteWriter(SqliteThread(settings), "NORMAL")
    assert await writer.rows("PRAGMA synchronous", {}) == [(1,)]
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(LedgerUnavailable, match="locked"):
        await writer.rows(_LEASE, {"worker": "first"})
    other.execute("ROLLBACK")
    assert await writer.rows("PRAGMA synchronous", {}) == [(1,)]
    await writer.close()
