"""Column types that read the same from Postgres and SQLite."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Generic, TypeVar

from sqlalchemy import DateTime, Dialect, String, TypeDecorator

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
