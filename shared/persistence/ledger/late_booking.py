"""Attempts that ended after their message had: booked once, and added to the message's cost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from sqlalchemy import case, func, update

from shared.messages.record import MessageRecord
from shared.messages.state import ResponseState
from shared.persistence.engine import Database
from shared.persistence.ledger.records import AttemptRecord
from shared.persistence.ledger.settling import attempt_row
from shared.persistence.statements import insert_new, transaction
from shared.persistence.tables import attempt, message

# A message that was cancelled has cost nothing until somebody says otherwise.
_COST = case(
    (message.c.state == ResponseState.CANCELLED, func.coalesce(message.c.cost, 0)),
    else_=message.c.cost,
)


class LateBooking:
    """Writes late attempts; raises LedgerUnavailable.

    The attempts' own rows are what makes a repetition harmless: the message's cost grows in the
    transaction that adds them, and by as much as it adds.
    """

    def __init__(self, database: Database) -> None:
        self._engine = database.durable
        self._insert = insert_new(attempt, sqlite_dialect=database.is_sqlite).returning(
            attempt.c.cost
        )

    async def write(
        self,
        record: MessageRecord,
        attempts: Sequence[AttemptRecord],
        *,
        first_ordinal: int,
        booked_at: datetime,
    ) -> bool:
        """True when they were new. A cost that is unknown makes the message's unknown."""
        costs: list[Decimal | None] = []
        async with transaction(self._engine) as connection:
            for ordinal, item in enumerate(attempts, start=first_ordinal):
                row = attempt_row(item, claim=record.attempt, ordinal=ordinal) | {
                    "message_id": record.id,
                    "tenant_id": record.tenant_id,
                    "user_id": record.user_id,
                    "lane": record.lane,
                    "booked_at": booked_at,
                }
                costs += (await connection.execute(self._insert.values(row))).scalars().all()
            if costs:
                known = [cost for cost in costs if cost is not None]
                grown = _COST + sum(known, Decimal(0))
                await connection.execute(
                    update(message)
                    .where(message.c.id == record.id, message.c.attempt == record.attempt)
                    .values(cost=grown if len(known) == len(costs) else None)
                )
        return bool(costs)
