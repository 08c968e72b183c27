"""The turns of conversations as the ledger has them, with their costs, handoffs and verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from sqlalchemy import Integer, Row, String, and_, bindparam, case, func, or_, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.feedback.tables import feedback
from shared.persistence.bulk_parameters import IdList
from shared.persistence.columns import UtcDateTime
from shared.persistence.engine import Database
from shared.persistence.tables import OF_TRAFFIC, attempt, handoff, message

MOST_TURNS: Final = 50
"""Of a longer conversation the last ones are looked at."""


class TalkedTurn(NamedTuple):
    """A message that has ended; `body` is there where it is one of several of a conversation."""

    id: str
    tenant_id: str
    conversation_id: str | None
    state: str
    """Also one of another version, which ended as none that counts."""
    accepted_at: datetime
    finished_at: datetime | None
    model: str | None
    answered_by: str | None
    report: str | None
    variant: str | None
    body: str | None = None


class TurnCost(NamedTuple):
    """What its attempts cost in US dollars, as far as that is known."""

    known: Decimal = Decimal(0)
    unknown: int = 0


class SaidOfTurn(NamedTuple):
    """One verdict of it, and of whom."""

    name: str
    source: str
    value: float | None
    is_negative: bool


class LedgerTurns:
    """Reads within a connection of its caller's."""

    def __init__(self, database: Database) -> None:
        ids = self._ids = IdList(database.relaxed.dialect)
        self._costs = (
            select(
                attempt.c.message_id,
                func.sum(attempt.c.cost).label("known"),
                func.sum(case((attempt.c.cost.is_(None), 1), else_=0)).label("unknown"),
            )
            .where(ids.holds(attempt.c.message_id))
            .group_by(attempt.c.message_id)
        )
        self._handoffs = select(handoff.c.message_id).where(ids.holds(handoff.c.message_id))
        self._said = select(
            feedback.c.response_id,
            feedback.c.name,
            feedback.c.source,
            feedback.c.value,
            feedback.c.is_negative,
        ).where(ids.holds(feedback.c.response_id))
        self._named = select(*_PLAIN).where(ids.holds(message.c.id), _TOLD)

    async def ended(
        self, connection: AsyncConnection, *, place: datetime, before: datetime, limit: int
    ) -> list[TalkedTurn]:
        """What ended from then until then, the oldest first."""
        bounds = {"place": place, "before": before, "limit": limit}
        return _turns(await connection.execute(_ENDED, bounds))

    async def named(self, connection: AsyncConnection, ids: Sequence[str]) -> list[TalkedTurn]:
        """Those of these ids that are there."""
        if not ids:
            return []
        return _turns(await connection.execute(self._named, self._ids.parameters(ids)))

    async def conversation(
        self, connection: AsyncConnection, tenant_id: str, conversation_id: str
    ) -> list[TalkedTurn]:
        """The last of a conversation, in the order in which they came; also what still runs."""
        of = {"tenant": tenant_id, "conversation": conversation_id, "limit": MOST_TURNS}
        turns = _turns(await connection.execute(_OF_CONVERSATION, of))
        turns += _turns(await connection.execute(_RUNNING, of))
        return sorted(turns, key=lambda each: (each.accepted_at, each.id))

    async def costs(self, connection: AsyncConnection, ids: Sequence[str]) -> dict[str, TurnCost]:
        """What messages cost: failed attempts too."""
        rows = await connection.execute(self._costs, self._ids.parameters(ids))
        return {row.message_id: TurnCost(Decimal(row.known or 0), row.unknown) for row in rows}

    async def handed_off(self, connection: AsyncConnection, ids: Sequence[str]) -> set[str]:
        """Those of them that a person has or had."""
        rows = await connection.execute(self._handoffs, self._ids.parameters(ids))
        return {*rows.scalars()}

    async def said(
        self, connection: AsyncConnection, ids: Sequence[str]
    ) -> dict[str, list[SaidOfTurn]]:
        """What was said of them."""
        found: dict[str, list[SaidOfTurn]] = {}
        for row in await connection.execute(self._said, self._ids.parameters(ids)):
            found.setdefault(row.response_id, []).append(SaidOfTurn(*row[1:]))
        return found


def _turns(rows: Iterable[Row[Any]]) -> list[TalkedTurn]:
    return [TalkedTurn(**row._asdict()) for row in rows]


_COLUMNS: Final = message.c
_PLAIN: Final = tuple(
    type_coerce(_COLUMNS.state, String).label("state") if name == "state" else _COLUMNS[name]
    for name in TalkedTurn._fields
    if name != "body"
)
# Of what was erased nobody knows any more what it belonged to; what was never to be stored belonged
# to nothing.
_TOLD: Final = and_(or_(_COLUMNS.erased_at.is_(None), _COLUMNS.store.is_(False)), OF_TRAFFIC)
_LIMIT: Final = bindparam("limit", type_=Integer)
_ENDED: Final = (
    select(*_PLAIN)
    .where(
        _COLUMNS.finished_at >= bindparam("place", type_=UtcDateTime),
        _COLUMNS.finished_at < bindparam("before", type_=UtcDateTime),
        _TOLD,
    )
    .order_by(_COLUMNS.finished_at)
    .limit(_LIMIT)
)
_IN_CONVERSATION: Final = (
    select(*_PLAIN, _COLUMNS.body)
    .where(
        _COLUMNS.tenant_id == bindparam("tenant", type_=String),
        _COLUMNS.conversation_id == bindparam("conversation", type_=String),
    )
    .limit(_LIMIT)
)
_OF_CONVERSATION: Final = _IN_CONVERSATION.where(_COLUMNS.finished_at.is_not(None)).order_by(
    _COLUMNS.finished_at.desc()
)
_RUNNING: Final = _IN_CONVERSATION.where(_COLUMNS.finished_at.is_(None))
