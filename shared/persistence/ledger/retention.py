"""Retention: what is old is deleted, a little at a time, so that nobody waits for it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Column, Select, delete, select

from shared.clock import Clock
from shared.identifiers import RESPONSE, first_id
from shared.messages.state import TERMINAL
from shared.persistence.engine import Database
from shared.persistence.id_list import IdList
from shared.persistence.statements import transaction
from shared.persistence.tables import HandoffState, attempt, dead_letter, handoff, message
from shared.settings.servers import LedgerSettings


class Retention:
    """Forgets ended messages, dead letters and closed handoffs after `retention_days`, and what was
    spent after `attempt_retention_days`; raises LedgerUnavailable.
    """

    def __init__(self, database: Database, settings: LedgerSettings, clock: Clock) -> None:
        self._engine = database.relaxed
        self._settings = settings
        self._clock = clock
        self._ids = IdList(database.relaxed.dialect)

    async def forget_old(self, limit: int = 500) -> dict[str, int]:
        """Delete up to `limit` rows of each table, each in a transaction; how many there were.

        Of what was spent it is all attempts of up to `limit` messages.
        """
        now = self._clock.now()
        before = now - timedelta(days=self._settings.retention_days)
        spent_before = now - timedelta(days=self._settings.attempt_retention_days)
        return {
            "message": await self._delete(message.c.id, _messages(before, limit)),
            "dead_letter": await self._delete(dead_letter.c.id, _letters(before, limit)),
            "handoff": await self._delete(handoff.c.id, _handoffs(before, limit)),
            "attempt": await self._delete(attempt.c.message_id, _attempts(spent_before, limit)),
        }

    async def _delete(self, named_by: Column[Any], old: Select[Any]) -> int:
        async with transaction(self._engine) as connection:
            # Looked up first: most rounds find nothing, and take no lock then.
            found = (await connection.execute(old)).scalars().all()
            if not found:
                return 0
            forget = delete(named_by.table).where(self._ids.holds(named_by))
            return (await connection.execute(forget, self._ids.parameters(found))).rowcount


def _messages(before: datetime, limit: int) -> Select[Any]:
    return (
        select(message.c.id)
        .where(message.c.finished_at < before, message.c.state.in_(TERMINAL))
        .order_by(message.c.finished_at)
        .limit(limit)
    )


def _letters(before: datetime, limit: int) -> Select[Any]:
    return (
        select(dead_letter.c.id)
        .where(dead_letter.c.created_at < before)
        .order_by(dead_letter.c.created_at)
        .limit(limit)
    )


def _handoffs(before: datetime, limit: int) -> Select[Any]:
    """An open one waits for its human however long that takes."""
    return (
        select(handoff.c.id)
        .where(handoff.c.created_at < before, handoff.c.answered_at < before)
        .where(handoff.c.state != HandoffState.OPEN)
        .order_by(handoff.c.created_at)
        .limit(limit)
    )


def _attempts(before: datetime, limit: int) -> Select[Any]:
    """By their message's id, which sorts by time: it needs no index of its own."""
    return (
        select(attempt.c.message_id)
        .distinct()
        .where(attempt.c.message_id < first_id(RESPONSE, before))
        .order_by(attempt.c.message_id)
        .limit(limit)
    )
