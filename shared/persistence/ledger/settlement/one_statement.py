"""Postgres: a group of settlements with all of their parts, in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any, Final

import msgspec
from sqlalchemy import CTE, Dialect, Insert, Integer, and_, column, select, update
from sqlalchemy.sql import ClauseElement

from shared.messages.record import SETTLED_FIELDS
from shared.messages.state import ResponseState
from shared.persistence.bulk_parameters import IdList, RowDocument
from shared.persistence.ledger.records import Settlement
from shared.persistence.ledger.settlement.figures import (
    TOLD_OF_ATTEMPTS,
    TOLD_OF_TURNS,
    FiguresText,
    has_ended,
)
from shared.persistence.ledger.settlement.parts import (
    ATTEMPTS,
    FENCE,
    PARTS,
    Key,
    SettlementPart,
)
from shared.persistence.prepared.constant_text import ConstantText
from shared.persistence.prepared.roads import StatementRoad
from shared.persistence.statements import insert_new
from shared.persistence.tables import message

_ENDS: Final = "ends"
_END_COLUMNS: Final = (*SETTLED_FIELDS, "id", "attempt")
_end = attrgetter(*SETTLED_FIELDS, "message_id", "attempt")
_End = msgspec.defstruct("_End", [(name, Any, None) for name in _END_COLUMNS], omit_defaults=True)


class OneStatement:
    """Ends messages and writes what comes with their ends, all or nothing.

    What was really written is appended to the figures by the same statement.

    A part of which a group has no row is left out of its statement: to have planned and begun it
    costs Postgres more than to write a row of it. So there is a text for each set of parts that
    has come up so far.
    """

    def __init__(
        self, road: StatementRoad, dialect: Dialect, parts: Sequence[SettlementPart] = PARTS
    ) -> None:
        self._road = road
        self._dialect = dialect
        self._parts = [(part, _document(part, dialect), part.row_type) for part in parts]
        self._ends = RowDocument([message.c[name] for name in _END_COLUMNS], dialect, name=_ENDS)
        self._ids = IdList(dialect)
        self._figures = FiguresText(dialect)
        self._texts: dict[tuple[str, ...], ConstantText] = {}

    async def write(self, settlements: Sequence[Settlement]) -> set[Key]:
        """The messages that were ended, with their attempts.

        Raises LedgerUnavailable, and DBAPIError for a value that the database refuses.
        """
        ends = [_End(*_end(item)) for item in settlements]
        documents = self._ends.parameters(ends)
        documents |= self._ids.parameters([item.message_id for item in settlements])
        there: list[str] = []
        for part, document, row_type in self._parts:
            if rows := part.rows(settlements):
                documents |= document.parameters([row_type(*row) for row in rows])
                there.append(part.name)
        text = self._text(tuple(there))
        rows = await self._road.rows(text.text, text.values(documents))
        return {(message_id, attempt) for message_id, attempt in rows}

    def _text(self, names: tuple[str, ...]) -> ConstantText:
        text = self._texts.get(names)
        if text is None:
            text = self._texts[names] = ConstantText(self._statement(names), self._dialect)
        return text

    def _statement(self, names: tuple[str, ...]) -> ClauseElement:
        ends = self._ends.relation.c
        ended = (
            update(message)
            .where(
                # Twice, for a plan that is kept: joined alone, a table that was empty then would be
                # read whole ever after.
                self._ids.holds(message.c.id),
                message.c.id == ends.id,
                message.c.attempt == ends.attempt,
                message.c.state == ResponseState.IN_PROGRESS,
            )
            .values(lease_until=None, wake_at=None, **{name: ends[name] for name in SETTLED_FIELDS})
            .returning(message.c.id, message.c.attempt, *TOLD_OF_TURNS)
            .cte("ended")
        )
        parts = {
            part.name: _insert(part, document, ended).cte(part.name)
            for part, document, _ in self._parts
            if part.name in names
        }
        figures = self._figures_of(ended, parts.get(ATTEMPTS)).cte("figures")
        return select(ended.c.id, ended.c.attempt).add_cte(*parts.values(), figures)

    def _figures_of(self, ended: CTE, attempts: CTE | None) -> Insert:
        text = self._figures
        return text.append(
            turns=select(text.turn(ended.c)).where(has_ended(ended.c.state)),
            attempts=None if attempts is None else select(text.attempt(attempts.c)),
        )


def _document(part: SettlementPart, dialect: Dialect) -> RowDocument:
    columns = [part.table.c[name] for name in part.columns]
    return RowDocument([*columns, column(FENCE, Integer)], dialect, name=part.name)


def _insert(part: SettlementPart, document: RowDocument, ended: CTE) -> Insert:
    rows = document.relation.c
    new = select(*(rows[name] for name in part.columns))
    if part.is_fenced:
        new = new.where(and_(ended.c.id == rows.message_id, ended.c.attempt == rows[FENCE]))
    adding = insert_new(part.table, sqlite_dialect=False).from_select([*part.columns], new)
    return adding.returning(*TOLD_OF_ATTEMPTS) if part.name == ATTEMPTS else adding
