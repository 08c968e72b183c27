"""How much a statement reads: rows on Postgres, steps of its machine on SQLite.

Both are counted while the statement runs, with whatever plan the planner made for it.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Any, Final

from sqlalchemy import Connection, event

from shared.persistence.engine import Database
from shared.persistence.prepared.sqlite_thread import SqliteReader

STEPS_PER_ROW: Final = 30
"""What SQLite does for one row at most, about: look it up, compare, sort, give it out."""
_EVERY: Final = 10
_AUTO_EXPLAIN: Final = (
    "LOAD 'auto_explain'",
    "SET auto_explain.log_min_duration = 0",
    "SET auto_explain.log_analyze = on",
    "SET auto_explain.log_timing = off",
    "SET auto_explain.log_format = 'json'",
    "SET client_min_messages = 'log'",
)


class ReadMeter:
    """Counts from its making on, for every connection that is opened after it."""

    def __init__(self, database: Database) -> None:
        self.plans: list[dict[str, Any]] = []
        self.steps = 0
        self._is_sqlite = database.is_sqlite
        for engine in (database.durable, database.relaxed):
            prepare = self._count_steps if database.is_sqlite else self._collect_plans
            event.listen(engine.sync_engine, "connect", prepare)

    async def watch_threads(self, database: Database) -> None:
        """Count in SQLite's own threads as well."""
        roads = database.roads
        if roads.writer is not None:
            await database.commit(self._count_whole)
            assert isinstance(roads.reading, SqliteReader)
            await roads.writer.commit(self._count_each)
            await roads.reading.read(self._count_each)

    def start(self) -> None:
        """Forget what was counted."""
        self.plans, self.steps = [], 0

    @property
    def rows(self) -> int:
        """About how many rows were read since the start."""
        if self._is_sqlite:
            return self.steps // STEPS_PER_ROW
        return sum(_rows_read(plan["Plan"]) for plan in self.plans)

    def _count_steps(self, connection: Any, _record: object) -> None:
        connection.run_async(lambda driver: driver.set_progress_handler(self._step, _EVERY))

    def _count_whole(self, connection: Connection) -> None:
        driver: Any = connection.connection.driver_connection
        self._count_each(driver)

    def _count_each(self, connection: sqlite3.Connection) -> None:
        connection.set_progress_handler(self._step, _EVERY)

    def _step(self) -> int:
        self.steps += _EVERY
        return 0

    def _collect_plans(self, connection: Any, _record: object) -> None:
        connection.driver_connection.add_notice_handler(self._note)
        cursor = connection.cursor()
        for statement in _AUTO_EXPLAIN:
            cursor.execute(statement)
        cursor.close()
        connection.commit()

    def _note(self, diagnostic: Any) -> None:
        told = diagnostic.message_primary or ""
        if "plan:" in told:
            self.plans.append(json.loads(told.partition("plan:")[2]))


def _rows_read(node: dict[str, Any]) -> int:
    """What the leaves of a plan looked at: the rows they gave and those they threw away."""
    read = 0
    if node["Node Type"].endswith("Scan"):
        each = node["Actual Rows"]
        each += sum(value for key, value in node.items() if key.startswith("Rows Removed by"))
        read = int(each * node["Actual Loops"])
    return read + sum(_rows_read(child) for child in node.get("Plans", ()))
