"""Attempts that ended after their message had: booked once, and added to the message's cost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from msgspec.structs import asdict
from sqlalchemy import bindparam, case, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.messages.record import MessageRecord
from shared.messages.state import ResponseState
from shared.persistence.engine import Database
from shared.persistence.ledger.records import AttemptRecord
from shared.persistence.ledger.settlement.end_figures import EndFigures
from shared.persistence.statements import insert_new, transaction
from shared.persistence.tables import attempt, message

_OF_THIS_CLAIM = (attempt.c.message_id == message.c.id, attempt.c.claim == message.c.attempt)
_SUM = (
    select(case((func.count() == func.count(attempt.c.cost), func.sum(attempt.c.cost))))
    .where(*_OF_THIS_CLAIM)
    .scalar_subquery()
)
"""What the attempts of the message's latest claim cost; NULL where one of them is unknown."""
# One that was cancelled has no cost until somebody says it; others have where they have ended.
_HAS_COST = or_(message.c.cost.is_not(None), message.c.state == ResponseState.CANCELLED)

_LOCKED: Final = select(message.c.id).where(message.c.id == bindparam("b_id")).with_for_update()


class LateBooking:
    """Writes late attempts; raises LedgerUnavailable.

    The attempts' own rows are what makes a repetition harmless, and the message's cost is their
    sum, also where they were written with an end that was refused.
    """

    def __init__(self, database: Database) -> None:
        self._engine = database.durable
        self._figures = EndFigures(database.durable.dialect)
        self._insert = insert_new(attempt, sqlite_dialect=database.is_sqlite).returning(
            attempt.c.ordinal
        )

    async def write(
        self,
        record: MessageRecord,
        attempts: Sequence[AttemptRecord],
        *,
        first_ordinal: int,
        booked_at: datetime,
        variant: str | None,
    ) -> bool:
        """True when they were new. A cost that is unknown makes the message's unknown."""
        async with transaction(self._engine) as connection:
            # Whoever books for the same message waits: what is taken back is what was told last.
            await connection.execute(_LOCKED, {"b_id": record.id})
            await self._figures.take_back(connection, record.id)
            told = {"booked_at": booked_at, "variant": variant}
            rows = [row | told for row in _rows(record, attempts, first_ordinal=first_ordinal)]
            new: list[int] = []
            for row in rows:
                new += (await connection.execute(self._insert.values(row))).scalars().all()
            await self._add_up(connection, record)
            await self._figures.add(connection, [record.id])
            if new:
                await self._figures.add_attempts(
                    connection, record.id, claim=record.attempt, ordinals=new
                )
        return bool(new)

    async def _add_up(self, connection: AsyncConnection, record: MessageRecord) -> None:
        summed = await connection.execute(
            update(message)
            .where(message.c.id == record.id, message.c.attempt == record.attempt, _HAS_COST)
            .values(cost=_SUM)
            .returning(message.c.erased_at, message.c.user_id)
        )
        left = summed.one_or_none()
        if left is not None and left.erased_at is not None:
            await connection.execute(
                update(attempt)
                .where(attempt.c.message_id == record.id)
                .values(detail=None, user_id=left.user_id)
            )


def _rows(
    record: MessageRecord, attempts: Sequence[AttemptRecord], *, first_ordinal: int
) -> list[dict[str, Any]]:
    whose = {
        "message_id": record.id,
        "claim": record.attempt,
        "tenant_id": record.tenant_id,
        "user_id": record.user_id,
        "lane": record.lane,
    }
    return [
        asdict(item) | whose | {"ordinal": ordinal}
        for ordinal, item in enumerate(attempts, start=first_ordinal)
    ]
