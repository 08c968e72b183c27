"""Statements that Postgres and SQLite spell in different modules and in the same words."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Insert, Result, Row, Select, Table, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.errors import LedgerUnavailable
from shared.messages.record import RECORD_FIELDS, MessageRecord
from shared.persistence.sqlite.opening import READS_ONLY
from shared.persistence.tables import message
from shared.telemetry.logs import get_logger

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

_TRY_LOCK = text("SELECT pg_try_advisory_xact_lock(:lock)")
RECORD_COLUMNS = tuple(message.c[name] for name in RECORD_FIELDS)


def insert_new(table: Table, *, sqlite_dialect: bool) -> Insert:
    """An insert that leaves a row alone which is already there."""
    return upsert(table, sqlite_dialect=sqlite_dialect).on_conflict_do_nothing()


def upsert(table: Table, *, sqlite_dialect: bool) -> postgresql.Insert | sqlite.Insert:
    """An insert that can say what happens where the row is there already."""
    # A dialect brings every driver's: the other one is not loaded.
    if sqlite_dialect:
        from sqlalchemy.dialects import sqlite

        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql

    return postgresql.insert(table)


def skipping_locked(query: Select[Any]) -> Select[Any]:
    """Rows that another sweeper holds are left to it. SQLite has one writer and ignores this."""
    return query.with_for_update(skip_locked=True)


def is_alone(connection: Connection, lock: int) -> bool:
    """Whether nobody else has that lock, which this transaction then keeps until its end.

    Nobody waits for it. SQLite writes one transaction at a time anyway.
    """
    if connection.dialect.name == "sqlite":
        return True
    return bool(connection.scalar(_TRY_LOCK, {"lock": lock}))


def readable(result: Result[Any]) -> Iterator[Row[Any]]:
    """The rows of a result, but for those that this version cannot read.

    Such a row (a state or a lane that is not ours, a time that is none) must not cost the others
    that came with it; it is a line in the log.
    """
    while True:
        try:
            row = result.fetchone()
        except (ValueError, TypeError) as error:
            get_logger(__name__).warning("row_unreadable", reason=str(error))
            continue
        if row is None:
            return
        yield row


def record_of(row: Any) -> MessageRecord:
    """The record of a row selected by RECORD_COLUMNS."""
    # A third of what the row's own mapping costs, for every message that is claimed.
    return MessageRecord(**dict(zip(RECORD_FIELDS, row, strict=True)))


@asynccontextmanager
async def transaction(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """One transaction; a database that is away, slow or full becomes LedgerUnavailable.

    What the database says about our own values (a DataError) passes through: retrying would not
    help, and its caller knows what it wrote.
    """
    async with connected(engine) as connection, connection.begin():
        yield connection


@asynccontextmanager
async def reading(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """One transaction that writes nothing; the same errors as `transaction`.

    On SQLite it takes no lock and so waits for no writer; a write in it may be refused at once.
    """
    async with connected(engine) as connection:
        await connection.execution_options(**READS_ONLY)
        async with connection.begin():
            yield connection


@asynccontextmanager
async def snapshot(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """The same, and all of its statements see the database as it was when the first one began."""
    async with connected(engine) as connection:
        await connection.execution_options(**READS_ONLY)
        if engine.dialect.name != "sqlite":  # there it is so in any case
            await connection.execution_options(isolation_level="REPEATABLE READ")
        async with connection.begin():
            yield connection


@asynccontextmanager
async def connected(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection whose transactions are its user's own; the same errors as `transaction`."""
    with ledger_errors():
        async with engine.connect() as connection:
            yield connection


@contextmanager
def ledger_errors() -> Iterator[None]:
    """Around whatever asks the database: the errors of `transaction`."""
    try:
        yield
    except DBAPIError as error:
        if is_about_values(error):
            raise
        raise LedgerUnavailable(_first_line(error), retry_after_seconds=1.0) from error
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        raise LedgerUnavailable(_first_line(error), retry_after_seconds=1.0) from error


@contextmanager
def driver_errors() -> Iterator[None]:
    """Around what asks SQLite's driver itself: its errors become those of `connected`'s users."""
    try:
        yield
    except sqlite3.Error as error:
        kind = IntegrityError if isinstance(error, sqlite3.IntegrityError) else OperationalError
        raise kind(None, None, error, hide_parameters=True) from error


def is_about_values(error: DBAPIError) -> bool:
    """Whether the database refused a value rather than the work."""
    return type(error).__name__ in {"DataError", "IntegrityError"}


def _first_line(error: BaseException) -> str:
    return f"The ledger did not commit: {str(error).partition(chr(10))[0]}"
