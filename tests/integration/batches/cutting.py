"""A process that dies at a statement: what it began is undone, and nothing follows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from shared.persistence.engine import Database


class Died(BaseException):
    """No code of ours may catch it."""


class Statements:
    """Counts what is asked of a database, and dies at the statement of that number."""

    def __init__(self, dies_at: int) -> None:
        self.count = 0
        self._dies_at = dies_at

    @property
    def has_died(self) -> bool:
        return self.count >= self._dies_at

    def hear(self, *_: Any) -> None:
        self.count += 1
        if self.count == self._dies_at:
            raise Died


@contextmanager
def dying_at(database: Database, number: int) -> Iterator[Statements]:
    """Die at the statement or commit of this number, counted from 1; or live, if fewer follow."""
    engines: list[Any] = [database.durable.sync_engine, database.relaxed.sync_engine]
    if database.whole is not None:
        engines.append(database.whole._engine)
    statements = Statements(number)
    names = "before_cursor_execute", "commit"
    for engine in engines:
        for name in names:
            event.listen(engine, name, statements.hear)
    try:
        yield statements
    except Died:
        pass
    finally:
        for engine in engines:
            for name in names:
                event.remove(engine, name, statements.hear)
