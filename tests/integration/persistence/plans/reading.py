"""How much a statement reads: rows on Postgres, steps of its machine on SQLite.

Both are counted while the statement runs, with whatever plan the planner made for it.
"""

from __future__ import annotations

import json
from typing import Any, Final

from sqlalchemy import event

from shared.persistence.engine import Database

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
        def step() -> int:
            self.steps += _EVERY
            return 0

        connection.run_async(lambda driver: driver.set_progress_handler(step, _EVERY))

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
