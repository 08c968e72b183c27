"""Column types that read the same from Postgres and SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Generic, TypeVar

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

State = TypeVar("State", bound=StrEnum)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time in UTC; SQLite, which has no zones, keeps it without and gets it back here."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None or dialect.name != "sqlite":
            return value
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


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
