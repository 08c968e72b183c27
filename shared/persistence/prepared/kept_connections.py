"""Postgres with no layer in between: for lone statements that run for every group of messages."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final, NamedTuple

from psycopg import AsyncCursor, DataError, Error, IntegrityError
from sqlalchemy import exc
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.persistence.statements import ledger_errors

_PLAN_IS_OLD: Final = "0A000"
"""A statement that was prepared before a migration changed what it returns."""
_NOT_OUR_SESSION: Final = frozenset({"26000", "42P05"})
"""A statement that was prepared is not there, or one that was not is: a pooler is in between."""


_KEEP_PLANS: Final = "SET plan_cache_mode = force_generic_plan"
_PLAN_AS_OTHERS: Final = "RESET plan_cache_mode"


class _Kept(NamedTuple):
    """A connection as its pool knows it, and the driver's cursor on it."""

    connection: AsyncConnection
    cursor: AsyncCursor[tuple[Any, ...]]
    keeps_plans: bool = False


class KeptConnections:
    """Up to `most` connections of an engine that commits by itself, not given back in between.

    A pool, a transaction and a result cost a small group several times what its statement does.
    They stay their engine's, which opens them as any other, and hears of one that broke.

    With `keeps_plans` a statement is planned once on each: its plan has to be good however full
    its tables are then and later, as where every condition is about a primary key.
    """

    def __init__(self, engine: AsyncEngine, *, most: int, keeps_plans: bool) -> None:
        self._engine = engine
        self._most = most
        self._keeps_plans = keeps_plans
        self._idle: list[_Kept] = []

    async def rows(self, statement: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """What the statement returns; it is committed then.

        Raises LedgerUnavailable, and DBAPIError for a value that the database refuses.
        """
        with ledger_errors():
            kept = self._idle.pop() if self._idle else await self._opened()
            try:
                found = await _found(kept.cursor, statement, values)
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
            await self._give_back(self._idle.pop())

    async def _opened(self) -> _Kept:
        connection = await self._engine.connect()
        driver = (await connection.get_raw_connection()).driver_connection
        return _Kept(connection, AsyncCursor(driver))  # type: ignore[arg-type]  # it is psycopg's

    async def _keep(self, kept: _Kept) -> None:
        if len(self._idle) >= self._most:
            await self._give_back(kept)
            return
        # Behind a pooler it would be told to whichever session comes next.
        is_alone = kept.cursor.connection.prepare_threshold is not None
        if self._keeps_plans and is_alone and not kept.keeps_plans:
            if not await _was_told(kept, _KEEP_PLANS):
                return
            kept = kept._replace(keeps_plans=True)
        self._idle.append(kept)

    async def _give_back(self, kept: _Kept) -> None:
        if kept.keeps_plans and not await _was_told(kept, _PLAN_AS_OTHERS):
            return
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


async def _was_told(kept: _Kept, setting: str) -> bool:
    """Whether its session has the setting now; the connection is gone where it has not.

    What was committed on it before stands, and whoever asked for that hears of nothing else.
    """
    try:
        await kept.cursor.execute(setting.encode())
    except BaseException as error:
        await kept.connection.invalidate()
        await kept.connection.close()
        if isinstance(error, Error):
            return False
        raise
    return True


async def _found(
    cursor: AsyncCursor[tuple[Any, ...]], statement: str, values: Mapping[str, Any]
) -> list[tuple[Any, ...]]:
    query = statement.encode()
    try:
        await cursor.execute(query, values, prepare=True)
    except Error as error:
        # Postgres says so before it begins: nothing has been done.
        if error.sqlstate == _PLAN_IS_OLD:
            await cursor.execute("DEALLOCATE ALL")  # the driver hears of it and prepares anew
        elif error.sqlstate in _NOT_OUR_SESSION:
            cursor.connection.prepare_threshold = None
        else:
            raise
        await cursor.execute(query, values, prepare=True)
    return await cursor.fetchall()


def _is_about_values(error: Error) -> bool:
    return isinstance(error, DataError | IntegrityError)
