"""Sweeps: what the ledger needs from time to time so that nothing in it waits for ever.

Any number of sweepers may run side by side; each row is taken by one of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Row, bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.clock import Clock
from shared.identifiers import DEAD_LETTER, new_id
from shared.messages.dead_letter import DeadReason
from shared.messages.record import MessageRecord
from shared.messages.state import TERMINAL, ResponseState
from shared.messages.wake_up import WakeUp
from shared.persistence.engine import Database
from shared.persistence.statements import (
    RECORD_COLUMNS,
    record_of,
    skipping_locked,
    transaction,
)
from shared.persistence.tables import DeadLetterState, dead_letter, message
from shared.settings.servers import LedgerSettings

# The worker that ended the message sends its answer; only what it failed to send is left here.
_ANSWER_GRACE = timedelta(seconds=5)


class LedgerSweeps:
    """The reconciler's and the janitor's questions to the ledger; all raise LedgerUnavailable."""

    def __init__(self, database: Database, settings: LedgerSettings, clock: Clock) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock

    async def take_due(self, limit: int = 500) -> list[WakeUp]:
        """Queued messages that nobody claimed in time, to be published again.

        Each is due again later, twice as late every time, so that a backlog is not published over
        and over.
        """
        now = self._clock.now()
        query = skipping_locked(
            select(
                message.c.id,
                message.c.lane,
                message.c.deadline,
                message.c.traceparent,
                message.c.wakes,
            )
            .where(message.c.state == ResponseState.QUEUED, message.c.wake_at <= now)
            .order_by(message.c.wake_at)
            .limit(limit)
        )
        async with transaction(self._database.durable) as connection:
            rows = (await connection.execute(query)).all()
            if rows:
                await connection.execute(_POSTPONE, [self._postponed(row, now) for row in rows])
        return [_wake_up(row) for row in rows]

    async def expire_leases(self, limit: int = 500) -> tuple[list[str], list[MessageRecord]]:
        """Take messages from workers that fell silent.

        Gives the ids of those that are queued again, and those that are dead-lettered as poison.
        """
        now = self._clock.now()
        query = skipping_locked(
            select(*RECORD_COLUMNS)
            .where(message.c.state == ResponseState.IN_PROGRESS, message.c.lease_until < now)
            .limit(limit)
        )
        async with transaction(self._database.durable) as connection:
            rows = (await connection.execute(query)).all()
            poison = [row for row in rows if row.attempt >= self._settings.attempt_limit]
            again = [row.id for row in rows if row.attempt < self._settings.attempt_limit]
            if again:
                await connection.execute(
                    update(message)
                    .where(message.c.id.in_(again))
                    .values(state=ResponseState.QUEUED, lease_until=None, wake_at=now)
                )
            detail = f"{self._settings.attempt_limit} workers in a row fell silent during its turn."
            failed = await _fail(connection, poison, DeadReason.ATTEMPTS_EXHAUSTED, detail, now)
        return again, failed

    async def expire_deadlines(self, limit: int = 500) -> list[MessageRecord]:
        """Fail queued messages whose deadline passed; nobody wants their answer any more."""
        now = self._clock.now()
        query = skipping_locked(
            select(*RECORD_COLUMNS)
            .where(message.c.state == ResponseState.QUEUED, message.c.deadline < now)
            .limit(limit)
        )
        async with transaction(self._database.durable) as connection:
            rows = (await connection.execute(query)).all()
            detail = "The deadline passed before a worker was free."
            return await _fail(connection, rows, DeadReason.DEADLINE_PASSED, detail, now)

    async def wake_again(self, message_id: str) -> None:
        """Publish a queued message again with the next sweep: its wake-up is known to be lost."""
        async with transaction(self._database.relaxed) as connection:
            await connection.execute(
                update(message)
                .where(message.c.id == message_id, message.c.state == ResponseState.QUEUED)
                .values(wake_at=self._clock.now())
            )

    async def unsent_answers(self, limit: int = 100) -> list[MessageRecord]:
        """Ended messages whose producer waits at a queue and has been sent nothing yet."""
        query = (
            select(*RECORD_COLUMNS)
            .where(
                message.c.reply_to.is_not(None),
                message.c.replied_at.is_(None),
                message.c.state.in_(TERMINAL),
                message.c.finished_at < self._clock.now() - _ANSWER_GRACE,
            )
            .limit(limit)
        )
        async with transaction(self._database.relaxed) as connection:
            return [record_of(row) for row in await connection.execute(query)]

    async def forget_old(self, limit: int = 500) -> int:
        """Delete ended messages past their retention; how many there were."""
        before = self._clock.now() - timedelta(days=self._settings.retention_days)
        old = (
            select(message.c.id)
            .where(message.c.finished_at < before, message.c.state.in_(TERMINAL))
            .limit(limit)
        )
        async with transaction(self._database.relaxed) as connection:
            gone = await connection.execute(
                delete(message).where(message.c.id.in_(old)).returning(message.c.id)
            )
            return len(gone.all())

    def _postponed(self, row: Row[Any], now: datetime) -> dict[str, Any]:
        settings = self._settings
        seconds = min(
            settings.wake_after_max_seconds, settings.wake_after_seconds * 2 ** min(row.wakes, 20)
        )
        return {"b_id": row.id, "b_wake_at": now + timedelta(seconds=seconds)}


_POSTPONE = (
    update(message)
    .where(message.c.id == bindparam("b_id"))
    .values(wakes=message.c.wakes + 1, wake_at=bindparam("b_wake_at"))
)


def _wake_up(row: Row[Any]) -> WakeUp:
    trace = {"traceparent": row.traceparent} if row.traceparent else {}
    return WakeUp(row.id, row.lane, row.deadline, trace)


async def _fail(
    connection: AsyncConnection,
    rows: Sequence[Row[Any]],
    reason: DeadReason,
    detail: str,
    now: datetime,
) -> list[MessageRecord]:
    if not rows:
        return []
    end = {
        "state": ResponseState.FAILED,
        "finished_at": now,
        "error_code": "server_error",
        "error_message": f"{reason}: {detail}",
    }
    ended = update(message).where(message.c.id.in_([row.id for row in rows]))
    await connection.execute(ended.values(lease_until=None, wake_at=None, **end))
    letters = [
        {
            "id": new_id(DEAD_LETTER),
            "state": DeadLetterState.OPEN,
            "reason": reason,
            "detail": detail,
            "message_id": row.id,
            "tenant_id": row.tenant_id,
            "created_at": now,
        }
        for row in rows
    ]
    await connection.execute(insert(dead_letter), letters)
    return [msgspec.structs.replace(record_of(row), **end) for row in rows]
