"""SQLite: what a settlement appends to the figures, told from what it is about to write.

SQLite would look up each row that was just written, and make JSON of it value by value, while
others wait for its lock. So the facts are made before, and which of them hold is said after. What
`FiguresText` tells of the same rows is the same, to the last digit.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from operator import itemgetter
from typing import Any, Final

import msgspec
from sqlalchemy import Dialect

from shared.messages.record import MessageRecord
from shared.messages.state import TERMINAL, ResponseState
from shared.persistence.columns import StoredColumns
from shared.persistence.ledger.records import Settlement
from shared.persistence.ledger.settlement.delta_tables import rollup_delta
from shared.persistence.ledger.settlement.figures import TOLD_OF_ATTEMPTS
from shared.persistence.ledger.settlement.parts import BOOKED_COLUMNS
from shared.persistence.statements import RECORD_COLUMNS, record_of

Fact = tuple[Any, ...]
"""What is told of a message, or of an attempt: a TurnFact or an AttemptFact of `rollups`."""
_APPEND: Final = f"INSERT INTO {rollup_delta.name} (figures) VALUES (?)"  # noqa: S608 - ours
_CLAIMED: Final = (
    f"SELECT {', '.join(each.name for each in RECORD_COLUMNS)}"  # noqa: S608 - ours
    " FROM message WHERE id = ?"
)
_ANSWERED: Final = (ResponseState.COMPLETED, ResponseState.INCOMPLETE)
_BILLION: Final = Decimal(1_000_000_000)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TOLD: Final = [column.name for column in TOLD_OF_ATTEMPTS]
_told_of_attempt: Final = itemgetter(*map(BOOKED_COLUMNS.index, _TOLD))
_BOOKED, _LATENCY = _TOLD.index("booked_at"), _TOLD.index("latency_seconds")
_PAID, _ESTIMATED = _TOLD.index("cost"), _TOLD.index("is_estimated")


class FiguresInThread:
    """Appends within the transaction of whoever writes."""

    def __init__(self, dialect: Dialect) -> None:
        self._records = StoredColumns(RECORD_COLUMNS, dialect)

    def append(
        self, connection: sqlite3.Connection, ended: Iterable[Settlement], attempts: Sequence[Fact]
    ) -> None:
        """The messages that were ended, and the attempts that were not there before."""
        turns = [
            turn_fact(end, end.claimed or self._claimed(connection, end.message_id))
            for end in ended
            if end.state in TERMINAL
        ]
        if turns or attempts:
            figures = msgspec.json.encode({"turns": turns, "attempts": attempts})
            connection.execute(_APPEND, (figures.decode(),))

    def _claimed(self, connection: sqlite3.Connection, message_id: str) -> MessageRecord:
        rows = connection.execute(_CLAIMED, (message_id,)).fetchall()
        (row,) = self._records.readable(rows)
        return record_of(row)


# Their values stand one by one: tuples that are put together take half as long again.
def turn_fact(end: Settlement, claimed: MessageRecord) -> Fact:
    """What is told of a message that ended so."""
    accepted_ms, ended_ms = _moment(claimed.accepted_at), _moment(end.finished_at)
    claimed_at = claimed.claimed_at
    return (
        claimed.tenant_id,
        end.model,
        claimed.lane,
        end.state,
        claimed.claimed_by,
        end.answered_by,
        ended_ms,
        None if claimed_at is None else _moment(claimed_at) - accepted_ms,
        ended_ms - accepted_ms,
        1 if end.state in _ANSWERED and end.finished_at <= claimed.deadline else 0,
        end.input_tokens,
        end.cached_tokens,
        end.output_tokens,
        _nanos(end.cost),
        _nanos(end.saved),
        end.variant,
        1,
    )


def attempt_fact(booked: Sequence[Any]) -> Fact:
    """What is told of an attempt that is booked so, in the order of BOOKED_COLUMNS."""
    told = [*_told_of_attempt(booked)]
    told[_BOOKED] = _moment(told[_BOOKED])
    told[_LATENCY] = int(told[_LATENCY] * 1_000 + 0.5)  # as SQLite rounds
    told[_PAID] = _nanos(told[_PAID])
    told[_ESTIMATED] = int(told[_ESTIMATED])
    return tuple(told)


def _moment(time: datetime) -> int:
    since = time - _EPOCH
    return since.days * 86_400_000 + since.seconds * 1_000 + since.microseconds // 1_000


def _nanos(cost: Decimal | None) -> int | None:
    # Costs are whole billionths: by a number with a point it would take twice as long.
    return None if cost is None else int(cost * _BILLION)
