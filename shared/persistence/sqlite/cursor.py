"""One statement as SQLAlchemy runs it: its rows are here when it was run."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, NamedTuple, Self

Statement = Callable[[sqlite3.Cursor], object]
"""Runs on a cursor of the connection's thread."""


class SqliteResult(NamedTuple):
    """All that a statement gave."""

    description: Any = None
    rows: Sequence[Any] = ()
    rowcount: int = -1
    lastrowid: int | None = None


class SqliteCursor:
    """A statement and its rows, which are here when it was run."""

    arraysize = 1

    def __init__(self, run: Callable[[Statement], Awaitable[SqliteResult]]) -> None:
        self._run = run
        self._result = SqliteResult()

    async def __aenter__(self) -> Self:
        return self

    @property
    def description(self) -> Any:
        return self._result.description

    @property
    def rowcount(self) -> int:
        return self._result.rowcount

    @property
    def lastrowid(self) -> int | None:
        return self._result.lastrowid

    async def execute(self, statement: str, parameters: Any = ()) -> None:
        """Runs it."""
        self._result = await self._run(lambda at: at.execute(statement, parameters))

    async def executemany(self, statement: str, parameters: Iterable[Any]) -> None:
        """Runs it with each of them."""
        self._result = await self._run(lambda at: at.executemany(statement, parameters))

    async def fetchall(self) -> Sequence[Any]:
        """The rows that are left."""
        return self._result.rows

    async def close(self) -> None:
        """It was closed when it was run."""
