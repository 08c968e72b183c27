"""The database: Postgres, or SQLite on one machine, behind the same statements."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import make_url, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from shared.errors import LedgerUnavailable
from shared.persistence.durability import look_at_sessions
from shared.persistence.prepared.roads import Roads
from shared.persistence.sqlite.opening import open_sqlite
from shared.persistence.statements import ledger_errors, transaction
from shared.settings.servers import LedgerSettings

if TYPE_CHECKING:
    from shared.persistence.sqlite.whole_transactions import (
        Given,
        WholeSqliteTransactions,
        Work,
    )

# Everything hot here takes a few rows by an index, in that index's order. A planner that knows a
# table from before it was full, or not at all, thinks that there is little to read and that reading
# and sorting it all is as cheap: it is told not to. Nor is a plan kept that was made for an empty
# table, or compiled, which takes longer than any of these statements.
_PLANNING: Final = (
    "plan_cache_mode=force_custom_plan",
    "enable_seqscan=off",
    "enable_bitmapscan=off",
    "enable_sort=off",
    "jit=off",
)


@dataclass(frozen=True, slots=True)
class Database:
    """Ways to the same tables.

    `durable` returns from a commit when it is on disk. `relaxed` may forget the last moments in a
    crash of the database: for claims and leases, where forgetting costs a repeated call at most.
    On Postgres each of its statements is a transaction of its own, which saves two round trips.
    `roads` are for constant text: for statements that are run all the time. `whole` is SQLite's
    alone: see `commit`.
    """

    durable: AsyncEngine
    relaxed: AsyncEngine
    timeout_seconds: float
    roads: Roads
    whole: WholeSqliteTransactions | None = None

    @property
    def is_sqlite(self) -> bool:
        return self.durable.dialect.name == "sqlite"

    async def ping(self) -> None:
        """Return if the database answers in time; raises LedgerUnavailable."""
        try:
            async with asyncio.timeout(self.timeout_seconds), self.durable.connect() as connection:
                await connection.execute(text("SELECT 1"))
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            raise LedgerUnavailable(f"The ledger does not answer: {error}") from error

    async def commit(self, work: Work[Given], *, may_be_forgotten: bool = False) -> Given:
        """What the work gives, which is one transaction of several statements, when it is on disk;
        one that may be forgotten by a crash of the machine waits for no disk on SQLite.

        Raises LedgerUnavailable. The work must not block, and may be run in another thread.
        """
        if self.whole is None:
            async with transaction(self.durable) as connection:
                return await connection.run_sync(work)
        with ledger_errors():
            synchronous = "NORMAL" if may_be_forgotten else "FULL"
            return await self.whole.commit(work, synchronous=synchronous)

    async def close(self) -> None:
        if self.whole is not None:
            await self.whole.close()
        await self.roads.close()
        await self.durable.dispose()
        await self.relaxed.dispose()


def open_database(settings: LedgerSettings, *, statement_seconds: float | None = None) -> Database:
    """Engines for the ledger's address; nothing connects before it is needed.

    On SQLite a statement runs to its end, or for `statement_seconds`; on Postgres for the settings'
    `timeout_seconds`.
    """
    if settings.is_sqlite:
        return _sqlite(settings, statement_seconds)
    durable = _postgres(settings, synchronous_commit="on")
    relaxed = _postgres(settings, synchronous_commit="off", isolation_level="AUTOCOMMIT")
    look_at_sessions(durable, durable=True)
    look_at_sessions(relaxed, durable=False)
    roads = _roads_to_postgres(durable, relaxed, most=settings.pool_size // 2)
    return Database(durable, relaxed, settings.timeout_seconds, roads)


def _sqlite(settings: LedgerSettings, statement_seconds: float | None) -> Database:
    from shared.persistence.sqlite.whole_transactions import WholeSqliteTransactions

    return Database(
        open_sqlite(settings, "FULL", statement_seconds=statement_seconds),
        open_sqlite(settings, "NORMAL", statement_seconds=statement_seconds),
        settings.timeout_seconds,
        _roads_to_sqlite(settings),
        WholeSqliteTransactions(settings),
    )


# Either loads a driver, which the other does not need.
def _roads_to_sqlite(settings: LedgerSettings) -> Roads:
    from shared.persistence.prepared.sqlite_thread import SqliteReader, SqliteThread, SqliteWriter

    writes, reads = SqliteThread(settings), SqliteThread(settings)
    durable = SqliteWriter(writes, "FULL")
    return Roads(durable, SqliteWriter(writes, "NORMAL"), SqliteReader(reads), writer=durable)


def _roads_to_postgres(durable: AsyncEngine, relaxed: AsyncEngine, *, most: int) -> Roads:
    from shared.persistence.prepared.kept_connections import KeptConnections

    alone = durable.execution_options(isolation_level="AUTOCOMMIT")
    return Roads(
        KeptConnections(alone, most=most, keeps_plans=True),
        KeptConnections(relaxed, most=most - most // 2, keeps_plans=True),
        KeptConnections(relaxed, most=most // 2, keeps_plans=False),
    )


def _postgres(
    settings: LedgerSettings, *, synchronous_commit: str, isolation_level: Any = None
) -> AsyncEngine:
    milliseconds = int(settings.timeout_seconds * 1000)
    return create_async_engine(
        make_url(settings.url),
        pool_size=settings.pool_size,
        max_overflow=0,
        pool_timeout=settings.timeout_seconds,
        hide_parameters=True,
        isolation_level=isolation_level,
        connect_args={
            "connect_timeout": max(1, int(settings.timeout_seconds)),
            "options": f"-c synchronous_commit={synchronous_commit} "
            f"-c statement_timeout={milliseconds} "
            + " ".join(f"-c {option}" for option in _PLANNING),
            # A half-open connection is given up after this much silence, not after hours.
            "tcp_user_timeout": milliseconds * 2,
        },
    )
