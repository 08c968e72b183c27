"""A transaction of several statements: on SQLite it is one trip to a thread, whoever waits."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import closing

import pytest
from msgspec.structs import replace
from sqlalchemy import Connection, make_url, text

from shared.errors import LedgerUnavailable
from shared.persistence.engine import Database, open_database
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings

_INSERT = text("INSERT INTO worker_lease (worker, lease_until) VALUES (:worker, '2026-01-01')")
_WORKERS = "SELECT worker FROM worker_lease ORDER BY worker"


@pytest.fixture
def settings(migrated_sqlite_url: str) -> LedgerSettings:
    return LedgerSettings(url=ServerUrl(migrated_sqlite_url), timeout_seconds=60.0)


@pytest.fixture
async def database(settings: LedgerSettings) -> AsyncIterator[Database]:
    opened = open_database(settings)
    yield opened
    await opened.close()


@pytest.fixture
def other(settings: LedgerSettings) -> Iterator[sqlite3.Connection]:
    """Another process, as far as SQLite can tell."""
    file = make_url(settings.url).database or ""
    with closing(sqlite3.connect(file, timeout=0, isolation_level=None)) as connection:
        yield connection


async def test_whoever_is_cancelled_leaves_neither_a_lock_nor_a_half(
    database: Database, other: sqlite3.Connection
) -> None:
    loop, begun, goes_on = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def work(connection: Connection) -> None:
        connection.execute(_INSERT, {"worker": "first"})
        loop.call_soon_threadsafe(begun.set)
        assert goes_on.wait(60)
        connection.execute(_INSERT, {"worker": "second"})

    task = asyncio.create_task(database.commit(work))
    await begun.wait()
    assert other.execute(_WORKERS).fetchall() == []
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    goes_on.set()
    assert await database.commit(_workers) == ["first", "second"]
    other.execute("BEGIN IMMEDIATE")


async def test_what_fails_is_rolled_back_and_frees_the_lock(
    settings: LedgerSettings, database: Database, other: sqlite3.Connection
) -> None:
    def work(connection: Connection) -> None:
        connection.execute(_INSERT, {"worker": "first"})
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011 - our own
        await database.commit(work)
    other.execute("BEGIN IMMEDIATE")
    hasty = open_database(replace(settings, timeout_seconds=0.1))
    with pytest.raises(LedgerUnavailable, match="database is locked"):
        await hasty.commit(_workers)
    await hasty.close()
    other.execute("ROLLBACK")
    assert await database.commit(_workers) == []


async def test_only_what_may_be_forgotten_waits_for_no_disk(database: Database) -> None:
    def synchronous(connection: Connection) -> object:
        return connection.execute(text("PRAGMA synchronous")).scalar_one()

    assert await database.commit(synchronous) == 2
    assert await database.commit(synchronous, may_be_forgotten=True) == 1
    assert await database.commit(synchronous) == 2


def _workers(connection: Connection) -> list[str]:
    return [*connection.execute(text(_WORKERS)).scalars()]
