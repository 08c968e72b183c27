"""A writer's patience: SQLite's own leaves whoever came first for last."""

from __future__ import annotations

import sqlite3
from time import monotonic, sleep
from typing import Final

_LOOK_SECONDS: Final = 0.001
_PRIMARY_CODE: Final = 0xFF


def take_write_lock(cursor: sqlite3.Cursor, *, timeout_seconds: float) -> None:
    """Begin a transaction that writes; raises sqlite3.OperationalError where none is to be had.

    It looks every millisecond. SQLite's own wait sleeps longer each time, up to 100 ms, and so
    is overtaken by all who come later.
    """
    cursor.execute("PRAGMA busy_timeout=0")
    try:
        await_write_lock(cursor, timeout_seconds=timeout_seconds)
    finally:
        cursor.execute(f"PRAGMA busy_timeout={int(timeout_seconds * 1000)}")


def await_write_lock(cursor: sqlite3.Cursor, *, timeout_seconds: float) -> None:
    """The same on a connection whose busy_timeout is 0."""
    until = monotonic() + timeout_seconds
    while not _took_write_lock(cursor, is_last=monotonic() > until):
        sleep(_LOOK_SECONDS)


def _took_write_lock(cursor: sqlite3.Cursor, *, is_last: bool) -> bool:
    try:
        cursor.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if is_last or error.sqlite_errorcode & _PRIMARY_CODE != sqlite3.SQLITE_BUSY:
            raise
        return False
    return True
