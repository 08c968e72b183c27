"""Whether Postgres does what we ask of each connection: a pooler in between may drop it unsaid."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import event, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.persistence.statements import transaction

DURABLE: Final = frozenset({"on", "remote_apply"})
"""Values of `synchronous_commit` with which a commit that returned survives the server."""

_IN_FORCE: Final = text(
    "SELECT current_setting('statement_timeout') <> '0' AS bounds_statements,"
    " current_setting('plan_cache_mode') = 'force_custom_plan' AS plans_anew,"
    " current_setting('transaction_read_only') = 'on' AS is_read_only,"
    " pg_is_in_recovery() AS is_standby"
)
_LACKING: Final = text(
    "SELECT c.relname, p.name FROM pg_class c"
    " JOIN pg_namespace n ON n.oid = c.relnamespace,"
    " unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS p(name)"
    " WHERE n.nspname = current_schema() AND c.relname = ANY(:tables)"
    " AND NOT has_table_privilege(c.oid, p.name) ORDER BY 1, 2"
)


class ForgetfulDatabase(SQLAlchemyError):
    """Its commits return before they are on disk: to us it is as good as away."""


def look_at_sessions(engine: AsyncEngine, *, durable: bool) -> None:
    """Every new connection of `engine` is looked at; a forgetful one is not used if `durable`.

    It raises ForgetfulDatabase, which `transaction` turns into LedgerUnavailable. Where a pooler
    is in between, nothing is prepared by name: the next statement may meet another session, which
    has no such name, or has it for something else. What is asked costs one round trip for each
    connection, none for a message.
    """

    @event.listens_for(engine.sync_engine, "connect")
    def _look(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute("SELECT current_setting('synchronous_commit'), pg_backend_pid()")
        value, pid = cursor.fetchone()
        cursor.close()
        connection.rollback()
        # A pooler says its own number when a client connects.
        if connection.driver_connection.info.backend_pid != pid:
            connection.driver_connection.prepare_threshold = None
        if durable and value not in DURABLE:
            raise ForgetfulDatabase(
                f"synchronous_commit is {value}, though we ask for on: a commit would return "
                "before it is on disk. A pooler in between drops what we ask for; type: ALTER "
                "ROLE CURRENT_USER SET synchronous_commit = on"
            )


async def session_faults(engine: AsyncEngine) -> tuple[list[str], list[str]]:
    """What keeps Postgres from serving us, and what of our settings is not in force.

    Raises LedgerUnavailable.
    """
    async with transaction(engine) as connection:
        row = (await connection.execute(_IN_FORCE)).one()
    faults, dropped = [], []
    if row.is_standby:
        faults.append("it is a standby")
    elif row.is_read_only:
        faults.append("its transactions are read-only")
    if not row.bounds_statements:
        dropped.append("statement_timeout")
    if not row.plans_anew:
        dropped.append("plan_cache_mode")
    return faults, dropped


async def missing_grants(engine: AsyncEngine, tables: list[str]) -> list[str]:
    """Each as `INSERT on message`; raises LedgerUnavailable."""
    async with transaction(engine) as connection:
        rows = (await connection.execute(_LACKING, {"tables": tables})).all()
    return [f"{name} on {table}" for table, name in rows]
