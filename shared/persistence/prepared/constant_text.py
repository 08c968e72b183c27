"""A statement as text, made once: to put one together for each run costs more than to run it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from sqlalchemy import BindParameter, Dialect
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.compiler import SQLCompiler


class ConstantText:
    """The text of a statement, and what it is run with.

    It is made from the tables, as every other statement: their columns stand in one place.
    """

    def __init__(self, statement: ClauseElement, dialect: Dialect) -> None:
        if dialect.name == "sqlite":
            dialect = cast(type[DefaultDialect], type(dialect))(paramstyle="named")
        compiled = cast(SQLCompiler, statement.compile(dialect=dialect))
        self.text = str(compiled)
        binds = {name: bind for bind, name in compiled.bind_names.items()}
        self._spellings = {
            name: spell
            for name, bind in binds.items()
            if (spell := _spelling(bind, dialect)) is not None
        }
        self._fixed = self._spelt(
            {name: bind.effective_value for name, bind in binds.items() if not bind.required}
        )

    def values(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """What the driver takes for these parameters, beside what is the same in every run."""
        return self._fixed | self._spelt(given)

    def _spelt(self, given: Mapping[str, Any]) -> dict[str, Any]:
        spellings = self._spellings
        return {
            name: spellings[name](value) if name in spellings else value
            for name, value in given.items()
        }


def _spelling(bind: BindParameter[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    return bind.type.dialect_impl(dialect).bind_processor(dialect)
