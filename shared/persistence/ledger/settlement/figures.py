"""What is appended to the figures with each end: one row, told by the database from its own rows.

So it holds what was really written and no more: a settlement that the fence refused, or an attempt
that was there already, is not among it. What
settlements of SQLite append, `figures_in_thread` tells the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Dialect,
    Insert,
    Integer,
    ScalarSelect,
    Select,
    Text,
    and_,
    case,
    cast,
    extract,
    func,
    insert,
    literal_column,
    select,
)
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from shared.messages.state import TERMINAL, ResponseState
from shared.persistence.ledger.settlement.delta_tables import rollup_delta
from shared.persistence.tables import attempt, message

ColumnsNamed = ReadOnlyColumnCollection[str, Any]

# Constants stand in the text: each that is bound is sent again with every group.
_YES: Final = literal_column("1", Integer)
_NO: Final = literal_column("0", Integer)
_NO_ROWS: Final = literal_column("'[]'::json", Text)
_THOUSAND: Final = literal_column("1000", Integer)
_NANOS: Final = literal_column("1000000000", BigInteger)
_SECONDS: Final = literal_column("'%s'", Text)
_FIRST: Final = literal_column("1", Integer)
_SECOND: Final = literal_column("19", Integer)
_FRACTION: Final = literal_column("21", Integer)
_DIGITS: Final = literal_column("3", Integer)
"""Where a time has them as SQLite keeps it: 2026-01-31 00:00:00.000000."""

TOLD_OF_TURNS: Final[tuple[Column[Any], ...]] = (
    *(message.c.tenant_id, message.c.model, message.c.lane, message.c.state, message.c.claimed_by),
    *(message.c.answered_by, message.c.finished_at, message.c.claimed_at, message.c.accepted_at),
    *(message.c.deadline, message.c.input_tokens, message.c.cached_tokens),
    *(message.c.output_tokens, message.c.cost, message.c.saved, message.c.variant),
)
"""What has to be there of a message to tell its figures."""
TOLD_OF_ATTEMPTS: Final[tuple[Column[Any], ...]] = (
    *(attempt.c.tenant_id, attempt.c.provider, attempt.c.model, attempt.c.lane),
    *(attempt.c.error_class, attempt.c.booked_at, attempt.c.latency_seconds),
    *(attempt.c.input_tokens, attempt.c.cached_tokens, attempt.c.cache_write_tokens),
    *(attempt.c.output_tokens, attempt.c.reasoning_tokens, attempt.c.cost),
    *(attempt.c.is_estimated, attempt.c.variant),
)
"""The same of an attempt."""


class FiguresText:
    """The expressions, as this kind of database spells them."""

    def __init__(self, dialect: Dialect) -> None:
        self._is_sqlite = dialect.name == "sqlite"

    def append(self, *, turns: Select[Any] | None, attempts: Select[Any] | None) -> Insert:
        """The row of all that these give, each one column, which `turn` or `attempt` made."""
        told: list[Any] = []
        for name, query in (("turns", turns), ("attempts", attempts)):
            if query is not None:
                told += (literal_column(f"'{name}'"), self._list(query))
        whole = func.json_object(*told) if self._is_sqlite else func.json_build_object(*told)
        return insert(rollup_delta).from_select(["figures"], select(cast(whole, Text)))

    def turn(self, of: ColumnsNamed, *, times: int = 1) -> ColumnElement[Any]:
        """What is told of a message that has ended, to count so many times."""
        return self._array(
            of["tenant_id"],
            *(of["model"], of["lane"], of["state"], of["claimed_by"], of["answered_by"]),
            self._moment(of["finished_at"]),
            self._between(of["accepted_at"], of["claimed_at"]),
            self._between(of["accepted_at"], of["finished_at"]),
            case((_in_deadline(of), _YES), else_=_NO),
            *(of["input_tokens"], of["cached_tokens"], of["output_tokens"]),
            self._whole(of["cost"] * _NANOS),
            self._whole(of["saved"] * _NANOS),
            of["variant"],
            literal_column(str(times), Integer),
        )

    def attempt(self, of: ColumnsNamed) -> ColumnElement[Any]:
        """What is told of an attempt that was booked."""
        return self._array(
            *(of["tenant_id"], of["provider"], of["model"], of["lane"], of["error_class"]),
            self._moment(of["booked_at"]),
            self._whole(of["latency_seconds"] * _THOUSAND),
            *(of["input_tokens"], of["cached_tokens"], of["cache_write_tokens"]),
            *(of["output_tokens"], of["reasoning_tokens"]),
            self._whole(of["cost"] * _NANOS),
            cast(of["is_estimated"], Integer),
            of["variant"],
        )

    def _array(self, *values: ColumnElement[Any]) -> ColumnElement[Any]:
        return func.json_array(*values) if self._is_sqlite else func.json_build_array(*values)

    def _list(self, query: Select[Any]) -> ScalarSelect[Any]:
        (each,) = query.selected_columns
        if self._is_sqlite:
            return query.with_only_columns(func.json_group_array(each)).scalar_subquery()
        return query.with_only_columns(
            func.coalesce(func.json_agg(each), _NO_ROWS)
        ).scalar_subquery()

    def _moment(self, time: ColumnElement[Any]) -> ColumnElement[Any]:
        """In whole milliseconds since 1970: what is behind them is left out."""
        if self._is_sqlite:
            seconds = cast(func.strftime(_SECONDS, func.substr(time, _FIRST, _SECOND)), BigInteger)
            return seconds * _THOUSAND + cast(func.substr(time, _FRACTION, _DIGITS), Integer)
        return cast(func.floor(extract("epoch", time) * _THOUSAND), BigInteger)

    def _between(self, begin: ColumnElement[Any], end: ColumnElement[Any]) -> ColumnElement[Any]:
        return self._moment(end) - self._moment(begin)

    def _whole(self, number: ColumnElement[Any]) -> ColumnElement[Any]:
        return cast(func.round(number), Integer if self._is_sqlite else BigInteger)


def _in_deadline(of: ColumnsNamed) -> ColumnElement[bool]:
    answered = _one_of(of["state"], (ResponseState.COMPLETED, ResponseState.INCOMPLETE))
    return and_(answered, of["finished_at"] <= of["deadline"])


def has_ended(state: ColumnElement[Any]) -> ColumnElement[bool]:
    """A message that a human has counts when it was answered, or closed."""
    return _one_of(state, sorted(TERMINAL))


def _one_of(state: ColumnElement[Any], states: Sequence[ResponseState]) -> ColumnElement[bool]:
    return state.in_([literal_column(f"'{each}'") for each in states])
