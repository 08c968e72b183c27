"""Column types that read the same from Postgres and SQLite."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, Generic, TypeVar

import msgspec
from msgspec import inspect, structs
from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Dialect,
    Integer,
    Numeric,
    String,
    Text,
    TypeDecorator,
)
from sqlalchemy.sql.type_api import TypeEngine

from shared.telemetry.logs import get_logger

State = TypeVar("State", bound=StrEnum)
_NUMERIC: Final = 1700
"""Postgres' number of the type; of no other does SQLAlchemy ask which one came."""

_WITHOUT_ZONE: Final = len("2026-01-31 00:00:00.000000")


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time in UTC; SQLite, which has no zones, keeps it without and gets it back here."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        if dialect.name != "sqlite":
            return super().bind_processor(dialect)
        return _without_zone

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _without_zone(value: datetime | None) -> str | None:
    # As SQLAlchemy spells it, and in less than half the time: three of them come with each message.
    if value is None:
        return None
    in_utc = value if value.tzinfo is UTC else value.astimezone(UTC)
    return in_utc.isoformat(" ", "microseconds")[:_WITHOUT_ZONE]


class Enumerated(TypeDecorator[State], Generic[State]):
    """A StrEnum as its own text: adding a state needs no change to the database's types."""

    impl = String
    cache_ok = True

    def __init__(self, kind: type[State]) -> None:
        super().__init__(32)
        self.kind = kind

    def process_bind_param(self, value: State | None, _dialect: Dialect) -> str | None:
        return None if value is None else str(value)

    def process_result_value(self, value: Any | None, _dialect: Dialect) -> State | None:
        return None if value is None else self.kind(value)


class StoredColumns:
    """Rows of these columns, as the types of the table read and spell them."""

    def __init__(self, columns: Sequence[Column[Any]], dialect: Dialect) -> None:
        kinds = [column.type.dialect_impl(dialect) for column in columns]
        reads = [kind.result_processor(dialect, _NUMERIC) for kind in kinds]
        spellings = [kind.bind_processor(dialect) for kind in kinds]
        self._reads = [(n, read) for n, read in enumerate(reads) if read is not None]
        self._spellings = [(n, spell) for n, spell in enumerate(spellings) if spell is not None]

    def spelt(self, row: Sequence[Any]) -> list[Any]:
        """A row as the driver takes it."""
        values = [*row]
        for n, spell in self._spellings:
            if values[n] is not None:
                values[n] = spell(values[n])
        return values

    def readable(self, rows: Iterable[Sequence[Any]]) -> Iterator[list[Any]]:
        """Rows that the driver gave, but for those that this version cannot read.

        Such a row (a state or a lane that is not ours, a time that is none) must not cost the
        others that came with it; it is a line in the log.
        """
        for row in rows:
            values = [*row]
            try:
                for n, read in self._reads:
                    if values[n] is not None:
                        values[n] = read(values[n])
            except (ValueError, TypeError) as error:
                get_logger(__name__).warning("row_unreadable", reason=str(error))
                continue
            yield values


def columns_of(record: type[msgspec.Struct], *, primary_key: str) -> Iterator[Column[Any]]:
    """One column for each field, of its name; it takes NULL where the field takes None.

    Raises TypeError for a field of a type that no column is known for.
    """
    for each in structs.fields(record):
        kind = inspect.type_info(each.type)
        types = kind.types if isinstance(kind, inspect.UnionType) else (kind,)
        (held,) = (one for one in types if not isinstance(one, inspect.NoneType))
        yield Column(
            each.name,
            _column_type(held),
            primary_key=each.name == primary_key,
            nullable=len(types) > 1,
        )


def _column_type(kind: inspect.Type) -> TypeEngine[Any]:
    match kind:
        case inspect.EnumType(cls=cls) if issubclass(cls, StrEnum):
            return Enumerated(cls)
        case inspect.StrType(max_length=None):
            return Text()
        case inspect.StrType(max_length=most):
            return String(most)
        case inspect.BoolType():
            return Boolean()
        case inspect.IntType():
            return Integer()
        case inspect.DateTimeType():
            return UtcDateTime()
        case inspect.DecimalType():
            return Numeric(18, 9)
    raise TypeError(f"no column is known for a field of {kind}")
