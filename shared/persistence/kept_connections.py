"""Postgres with no layer in between: for lone statements that run for every group of messages."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, NamedTuple

from psycopg import AsyncCursor, DataError, Error, IntegrityError
from sqlalchemy import exc
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.persistence.statements import ledger_errors


class _Kept(NamedTuple):
    """A connection as its pool knows it, and the driver's cursor on it."""

    connection: AsyncConnection
    cursor: AsyncCursor[tuple[Any, ...]]


class KeptConnections:
    """Up to `most` connections of an engine that commits by itself, not given back in between.

    A pool, a transaction and a result cost a small group several times what its statement does.
    They stay their engine's, which opens them as any other, and hears of one that broke.
    """

    def __init__(self, engine: AsyncEngine, *, most: int) -> None:
        self._engine = engine
        self._most = most
        self._idle: list[_Kept] = []

    async def rows(self, statement: str, parameters: dict[str, str]) -> list[tuple[Any, ...]]:
        """What the statement returns; it is committed then.

        Raises LedgerUnavailable, and DBAPIError for a value that the database refuses.
        """
        with ledger_errors():
            kept = self._idle.pop() if self._idle else await self._opened()
            try:
                await kept.cursor.execute(statement, parameters)
                found = await kept.cursor.fetchall()
            except Error as error:
                await self._look_at(kept)
                kind = exc.DataError if _is_about_values(error) else exc.OperationalError
                raise kind(None, None, error, hide_parameters=True) from error
            except BaseException:
                await kept.connection.invalidate()  # it is in the middle of something
                await kept.connection.close()
                raise
            await self._keep(kept)
        return found

    async def close(self) -> None:
        """Give them back; whoever asks after that opens others."""
        while self._idle:
            await self._idle.pop().connection.close()

    async def _opened(self) -> _Kept:
        connection = await self._engine.connect()
        driver = (await connection.get_raw_connection()).driver_connection
        return _Kept(connection, AsyncCursor(driver))  # type: ignore[arg-type]  # it is psycopg's

    async def _keep(self, kept: _Kept) -> None:
        if len(self._idle) < self._most:
            self._idle.append(kept)
        else:
            await kept.connection.close()

    async def _look_at(self, kept: _Kept) -> None:
        """Keep it, unless it broke: then the others were broken by the same, and all go."""
        if not kept.cursor.connection.closed:
            await self._keep(kept)
            return
        with suppress(exc.DBAPIError):
            await kept.connection.exec_driver_sql("SELECT 1")  # lets its engine see that it broke
        await kept.connection.close()
        await self.close()


def _is_about_values(error: Error) -> bool:
    return isinstance(error, DataError | IntegrityError)
