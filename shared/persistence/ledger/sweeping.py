"""Sweeps: what the ledger needs from time to time so that nothing in it waits for ever.

Each reads an index of what it is about, in order and at most `limit` rows of it, so a backlog makes
none of them slower. Any number of sweepers may run side by side; each row is taken by one of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import Integer, Row, bindparam, insert, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.clock import Clock
from shared.identifiers import DEAD_LETTER, new_id
from shared.messages.dead_letter import DeadReason
from shared.messages.lane import WakeUp
from shared.messages.record import MessageRecord
from shared.messages.state import TERMINAL, ResponseState
from shared.persistence.bulk_parameters import IdList
from shared.persistence.engine import Database
from shared.persistence.ledger.settlement.end_events import EndedMessage, EndEvents
from shared.persistence.ledger.silent_turns import SilentTurns
from shared.persistence.ledger.wait_notes import WaitCause, WaitNote, noted
from shared.persistence.message_conditions import for_sweep
from shared.persistence.statements import (
    RECORD_COLUMNS,
    readable,
    reading,
    record_of,
    skipping_locked,
    transaction,
)
from shared.persistence.tables import DeadLetterState, dead_letter, message
from shared.settings.servers import LedgerSettings

# The worker that ended the message sends its answer; only what it failed to send is left here.
_ANSWER_GRACE: Final = timedelta(seconds=5)


class LedgerSweeps:
    """The reconciler's and the janitor's questions to the ledger; all raise LedgerUnavailable."""

    def __init__(self, database: Database, settings: LedgerSettings, clock: Clock) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._ids = IdList(database.durable.dialect)
        self._events = EndEvents(database)
        self._silent = SilentTurns(database.durable.dialect)
        named = self._ids.holds(message.c.id)
        self._queue_again = _QUEUE_AGAIN.where(named)
        self._end = _END.where(named)
        self._ended = select(*RECORD_COLUMNS).where(named)

    async def due(self, limit: int = 500, *, by: datetime | None = None) -> list[DueMessage]:
        """Queued messages to be published again, the longest due first.

        They are those that nobody claimed in time, or `by` a later moment than now; none that may
        not be claimed yet.
        """
        now = self._clock.now()
        bounds = {"by": by or now, "now": now, "limit": limit}
        async with reading(self._database.relaxed) as connection:
            rows = [*readable(await connection.execute(_DUE, bounds))]
        return [DueMessage(wake_up_of(row), row.wakes) for row in rows]

    async def postpone(self, published: Sequence[DueMessage]) -> None:
        """They are due again later, twice as late every time, so that a backlog is not published
        over and over.
        """
        now = self._clock.now()
        async with transaction(self._database.durable) as connection:
            await connection.execute(_POSTPONE, [self._postponed(each, now) for each in published])

    async def expire_leases(self, limit: int = 500) -> tuple[list[str], list[MessageRecord]]:
        """Take messages from workers that fell silent.

        Gives the ids of those that are queued again, and those that are dead-lettered as poison.
        """
        now = self._clock.now()
        async with transaction(self._database.durable) as connection:
            rows = await self._silent.take(connection, now=now, limit=limit)
            poison = [row for row in rows if row.attempt >= self._settings.attempt_limit]
            again = [row.id for row in rows if row.attempt < self._settings.attempt_limit]
            if again:
                note = WaitNote(cause=WaitCause.WORKER_SILENT, since=now, why=_SILENT)
                bounds = self._ids.parameters(again) | {"b_now": now, "b_note": note.line()}
                await connection.execute(self._queue_again, bounds)
            detail = f"{self._settings.attempt_limit} workers in a row fell silent during its turn."
            failed = await self._fail(
                connection, poison, DeadReason.ATTEMPTS_EXHAUSTED, detail, now
            )
        return again, failed

    async def expire_deadlines(self, limit: int = 500) -> list[MessageRecord]:
        """Fail queued messages whose deadline passed; nobody wants their answer any more."""
        now = self._clock.now()
        async with transaction(self._database.durable) as connection:
            rows = (await connection.execute(_EXPIRED, {"now": now, "limit": limit})).all()
            detail = "The deadline passed before a worker was free."
            return await self._fail(connection, rows, DeadReason.DEADLINE_PASSED, detail, now)

    async def wake_again(self, message_id: str) -> bool:
        """Publish a queued message again with the next sweep: its wake-up is known to be lost.

        False where there is no such message, in whatever state.
        """
        async with transaction(self._database.relaxed) as connection:
            known = await connection.execute(select(message.c.id).where(message.c.id == message_id))
            if known.one_or_none() is None:
                return False
            await connection.execute(
                update(message)
                .where(message.c.id == message_id, message.c.state == ResponseState.QUEUED)
                .values(wake_at=self._clock.now())
            )
        return True

    async def unsent_answers(self, limit: int = 100) -> list[MessageRecord]:
        """Ended messages whose producer waits at a queue and has been sent nothing yet."""
        bounds = {"ended_before": self._clock.now() - _ANSWER_GRACE, "limit": limit}
        async with reading(self._database.relaxed) as connection:
            rows = await connection.execute(_UNSENT, bounds)
            return [record_of(row) for row in readable(rows)]

    async def _fail(
        self,
        connection: AsyncConnection,
        rows: Sequence[Row[Any]],
        reason: DeadReason,
        detail: str,
        now: datetime,
    ) -> list[MessageRecord]:
        if not rows:
            return []
        ids = self._ids.parameters([row.id for row in rows])
        told = f"{reason}: {detail}"
        await connection.execute(self._end, ids | {"b_now": now, "b_text": told})
        letter = {"state": DeadLetterState.OPEN, "reason": reason, "detail": detail}
        letters = [
            {**letter, "id": new_id(DEAD_LETTER), "created_at": now}
            | {"message_id": row.id, "tenant_id": row.tenant_id}
            for row in rows
        ]
        await connection.execute(_ADD_LETTERS, letters)
        failed = [EndedMessage(row.id, row.tenant_id, ResponseState.FAILED) for row in rows]
        await self._events.add(connection, failed, now=now)
        ended = await connection.execute(self._ended, ids)
        return [record_of(row) for row in readable(ended)]

    def _postponed(self, due: DueMessage, now: datetime) -> dict[str, Any]:
        settings = self._settings
        seconds = min(
            settings.wake_after_max_seconds, settings.wake_after_seconds * 2 ** min(due.wakes, 20)
        )
        return {"b_id": due.wake_up.message_id, "b_wake_at": now + timedelta(seconds=seconds)}


class DueMessage(msgspec.Struct, frozen=True):
    """A wake-up to publish, and how often that was done before."""

    wake_up: WakeUp
    wakes: int


_LIMIT: Final = bindparam("limit", type_=Integer)
_DUE: Final = (
    select(message.c.id, message.c.lane, message.c.deadline, message.c.traceparent, message.c.wakes)
    .where(
        text(for_sweep(ResponseState.QUEUED, "due")),
        message.c.wake_at <= bindparam("by"),
        or_(message.c.not_before.is_(None), message.c.not_before <= bindparam("now")),
    )
    .order_by(message.c.wake_at)
    .limit(_LIMIT)
)
_EXPIRED: Final = skipping_locked(
    select(message.c.id, message.c.tenant_id)
    .where(text(for_sweep(ResponseState.QUEUED, "expiring")), message.c.deadline < bindparam("now"))
    .order_by(message.c.deadline)
    .limit(_LIMIT)
)
_UNSENT: Final = (
    select(*RECORD_COLUMNS)
    .where(
        message.c.reply_to.is_not(None),
        message.c.replied_at.is_(None),
        message.c.state.in_(TERMINAL),
        message.c.finished_at < bindparam("ended_before"),
    )
    .order_by(message.c.finished_at)
    .limit(_LIMIT)
)
_SILENT: Final = "Its worker was not heard of for the time of a lease."
_QUEUE_AGAIN: Final = update(message).values(
    state=ResponseState.QUEUED, lease_until=None, wake_at=bindparam("b_now"), **noted()
)
_ADD_LETTERS: Final = insert(dead_letter)
_POSTPONE: Final = (
    update(message)
    .where(message.c.id == bindparam("b_id"), message.c.state == ResponseState.QUEUED)
    .values(wakes=message.c.wakes + 1, wake_at=bindparam("b_wake_at"))
)
_END: Final = update(message).values(
    state=ResponseState.FAILED,
    finished_at=bindparam("b_now"),
    error_code="server_error",
    error_message=bindparam("b_text"),
    lease_until=None,
    wake_at=None,
)


def wake_up_of(row: Row[Any]) -> WakeUp:
    """That of a row with the id, the lane, the deadline and the trace of a message."""
    trace = {"traceparent": row.traceparent} if row.traceparent else {}
    return WakeUp(row.id, row.lane, row.deadline, trace)
