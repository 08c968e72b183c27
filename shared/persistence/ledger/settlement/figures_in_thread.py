"""SQLite: what a settlement appends to the figures, told by the rows that it has just written."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Dialect, Text, bindparam, func, literal_column, select, tuple_

from shared.persistence.bulk_parameters import IdList
from shared.persistence.ledger.settlement.figures import FiguresText, has_ended
from shared.persistence.ledger.settlement.parts import BOOKED_COLUMNS
from shared.persistence.prepared.constant_text import ConstantText
from shared.persistence.tables import attempt, message

_KEY: Final = ("message_id", "claim", "ordinal")
_PLACES: Final = tuple(BOOKED_COLUMNS.index(name) for name in _KEY)
_KEYS: Final = "keys"


class FiguresInThread:
    """Appends within the transaction of whoever writes."""

    def __init__(self, dialect: Dialect) -> None:
        self._ids = IdList(dialect)
        text = FiguresText(dialect)
        turns = select(text.turn(message.c)).where(
            self._ids.holds(message.c.id), has_ended(message.c.state)
        )
        each = func.json_each(bindparam(_KEYS, type_=Text)).table_valued("value")
        keys = select(
            *(
                func.json_extract(each.c.value, literal_column(f"'$[{n}]'"))
                for n, _ in enumerate(_KEY)
            )
        )
        of_attempts = select(text.attempt(attempt.c)).where(
            tuple_(*(attempt.c[name] for name in _KEY)).in_(keys)
        )
        self._both = ConstantText(text.append(turns=turns, attempts=of_attempts), dialect)
        self._turns = ConstantText(text.append(turns=turns, attempts=None), dialect)

    def append(
        self, connection: sqlite3.Connection, ended: Sequence[str], booked: Sequence[Sequence[Any]]
    ) -> None:
        """The messages that were ended, and the rows of attempts that were not there before."""
        given = self._ids.parameters(ended)
        if booked:
            keys = [[row[place] for place in _PLACES] for row in booked]
            given[_KEYS] = msgspec.json.encode(keys).decode()
            connection.execute(self._both.text, self._both.values(given))
        elif ended:
            connection.execute(self._turns.text, self._turns.values(given))
