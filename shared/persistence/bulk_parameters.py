"""Many rows, or many ids, as one parameter: one statement, one round trip, however many there are.

Binding the values of each row one by one costs both sides of a connection several times as much
as reading a document, and a statement that names each row is planned anew for each group size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import (
    ARRAY,
    JSON,
    ColumnElement,
    Dialect,
    FromClause,
    Select,
    String,
    Text,
    any_,
    bindparam,
    cast,
    column,
    func,
    select,
    true,
)
from sqlalchemy.sql.type_api import TypeEngine

_IDS: Final = "ids"


class IdList:
    """Finds rows by a list of ids, each through the index of that column.

    An array (a JSON list on SQLite) and not a relation to join with: a planner that takes a joined
    relation for a large one reads the whole table instead.
    """

    def __init__(self, dialect: Dialect, of: TypeEngine[Any] | None = None) -> None:
        """Ids are text, unless they are `of` another type."""
        self._is_sqlite = dialect.name == "sqlite"
        self._type = of or String()

    def holds(self, column: ColumnElement[Any]) -> ColumnElement[bool]:
        """The condition that this column's value is in the list."""
        if self._is_sqlite:
            each = func.json_each(bindparam(_IDS, type_=Text)).table_valued("value")
            return column.in_(select(each.c.value))
        return column == any_(bindparam(_IDS, type_=ARRAY(self._type)))

    def parameters(self, ids: Sequence[Any]) -> dict[str, Any]:
        """What to execute the statement with."""
        return {_IDS: msgspec.json.encode(ids).decode() if self._is_sqlite else [*ids]}


class RowDocument:
    """A group of rows with these columns as one JSON document, which statements can read from.

    `relation` has the columns by name, for an update; `query` selects them all, for an insert;
    `parameters` gives what to execute the statement with.
    """

    def __init__(
        self, columns: Sequence[ColumnElement[Any]], dialect: Dialect, *, name: str = "document"
    ) -> None:
        """`name` tells it from others in the same statement."""
        self._name = name
        kinds: dict[str, TypeEngine[Any]] = {each.key or "": each.type for each in columns}
        if dialect.name == "sqlite":
            self.relation = _json_each(kinds, name)
            self._spellings = _spellings(kinds, dialect)
        else:
            self.relation = _json_to_recordset(kinds, name)
            # Postgres reads every type as msgspec writes it.
            self._spellings = {}

    @property
    def query(self) -> Select[Any]:
        # SQLite takes the ON of an upsert for a join's, unless a WHERE stands in between.
        return select(*self.relation.c).where(true())

    def parameters(self, rows: Sequence[Mapping[str, Any] | msgspec.Struct]) -> dict[str, str]:
        """The document of these rows, each with its values by the names of the columns."""
        if self._spellings:
            rows = [self._spelt(row) for row in rows]
        return {self._name: msgspec.json.encode(rows).decode()}

    def _spelt(self, row: Mapping[str, Any] | msgspec.Struct) -> dict[str, Any]:
        spelt = msgspec.structs.asdict(row) if isinstance(row, msgspec.Struct) else dict(row)
        for name, spell in self._spellings.items():
            spelt[name] = spell(spelt[name])
        return spelt


def _json_to_recordset(kinds: Mapping[str, TypeEngine[Any]], name: str) -> FromClause:
    document = cast(bindparam(name, type_=Text), JSON)
    columns = [column(name, kind) for name, kind in kinds.items()]
    rows = func.json_to_recordset(document).table_valued(*columns, name=f"rows_of_{name}")
    return rows.render_derived(with_types=True)


def _json_each(kinds: Mapping[str, TypeEngine[Any]], name: str) -> FromClause:
    each = func.json_each(bindparam(name, type_=Text)).table_valued("value", name="each")
    values = [
        func.json_extract(each.c.value, f"$.{name}", type_=kind).label(name)
        for name, kind in kinds.items()
    ]
    return select(*values).subquery("rows")


def _spellings(kinds: Mapping[str, TypeEngine[Any]], dialect: Dialect) -> dict[str, Any]:
    """How SQLite, which has few types of its own, keeps the values of each column."""
    found = {
        name: kind.dialect_impl(dialect).bind_processor(dialect) for name, kind in kinds.items()
    }
    return {name: spell for name, spell in found.items() if spell is not None}
