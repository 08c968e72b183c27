"""Ids as one parameter: the statement is the same however many they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import (
    ARRAY,
    Column,
    ColumnElement,
    Dialect,
    String,
    Text,
    any_,
    bindparam,
    func,
    select,
)

_PARAMETER: Final = "ids"


class IdList:
    """Finds rows by a list of ids, each through the index of that column.

    An array (a JSON list on SQLite) and not a relation to join with: a planner that takes a joined
    relation for a large one reads the whole table instead.
    """

    def __init__(self, dialect: Dialect) -> None:
        self._is_sqlite = dialect.name == "sqlite"

    def holds(self, column: Column[Any]) -> ColumnElement[bool]:
        """The condition that this column's value is in the list."""
        if self._is_sqlite:
            each = func.json_each(bindparam(_PARAMETER, type_=Text)).table_valued("value")
            return column.in_(select(each.c.value))
        return column == any_(bindparam(_PARAMETER, type_=ARRAY(String)))

    def parameters(self, ids: Sequence[str]) -> dict[str, Any]:
        """What to execute the statement with."""
        return {_PARAMETER: msgspec.json.encode(ids).decode() if self._is_sqlite else [*ids]}
