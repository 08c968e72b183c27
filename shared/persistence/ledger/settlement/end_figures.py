"""Figures of what ends outside a turn, or is paid for after it: appended where it is written."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Dialect, Insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.persistence.bulk_parameters import IdList
from shared.persistence.ledger.settlement.figures import FiguresText, has_ended
from shared.persistence.tables import attempt, message


class EndFigures:
    """Appends within the transaction of whoever ends messages; raises what the connection raises.

    A message that has not ended has no figures, and is left out.
    """

    def __init__(self, dialect: Dialect) -> None:
        self._text = FiguresText(dialect)
        self._ids = IdList(dialect)
        self._add = self._turns(times=1)
        self._take_back = self._turns(times=-1)

    async def add(self, connection: AsyncConnection, message_ids: Sequence[str]) -> None:
        """They count as they are now."""
        if message_ids:
            await connection.execute(self._add, self._ids.parameters(message_ids))

    async def take_back(self, connection: AsyncConnection, message_id: str) -> None:
        """It counts as it is now no more: it is about to change, and counts anew then."""
        await connection.execute(self._take_back, self._ids.parameters([message_id]))

    async def add_attempts(
        self, connection: AsyncConnection, message_id: str, *, claim: int, ordinals: Sequence[int]
    ) -> None:
        """Attempts that were booked now."""
        booked = select(self._text.attempt(attempt.c)).where(
            attempt.c.message_id == message_id,
            attempt.c.claim == claim,
            attempt.c.ordinal.in_(ordinals),
        )
        await connection.execute(self._text.append(turns=None, attempts=booked))

    def _turns(self, *, times: int) -> Insert:
        told = select(self._text.turn(message.c, times=times)).where(
            self._ids.holds(message.c.id), has_ended(message.c.state)
        )
        return self._text.append(turns=told, attempts=None)
