"""The ledger: the record of every accepted message, which no broker's memory can lose."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import Update, select, update

from shared.clock import Clock
from shared.errors import Conflict
from shared.messages.record import MessageRecord
from shared.messages.state import TERMINAL, ResponseState, sources_of
from shared.persistence.engine import Database
from shared.persistence.ledger.accepting import AcceptGroup, AcceptOutcome
from shared.persistence.ledger.finding import FindGroup, Sought
from shared.persistence.ledger.late_booking import LateBooking
from shared.persistence.ledger.records import AttemptRecord, Settlement
from shared.persistence.ledger.settlement.end_events import EndedMessage, EndEvents, Subscribers
from shared.persistence.ledger.settling import SettleGroup
from shared.persistence.statements import RECORD_COLUMNS, record_of, transaction
from shared.persistence.tables import HandoffState, handoff, message
from shared.persistence.tombstones import Tombstones
from shared.resilience.group_commit import GroupCommit, GroupMeter
from shared.settings.servers import LedgerSettings
from shared.telemetry.metrics import Metrics

_CROWD: Final = 32
"""Messages that are worth a statement beside one that is on its way."""
_FOUND_AT_ONCE: Final = 64
"""Whole messages that are held in memory for one statement."""


class LedgerOperation(StrEnum):
    """What a group is for that the ledger is given."""

    ACCEPT = "accept"
    CLAIM = "claim"
    SETTLE = "settle"


def meter_of(operation: LedgerOperation, metrics: Metrics) -> GroupMeter:
    """What is observed of the groups that the ledger is given for that."""
    return GroupMeter(
        metrics.ledger_group_messages.labels(operation),
        metrics.ledger_group_duration_seconds.labels(operation),
    )


class MessageLedger:
    """Accepts messages and writes their ends, each in groups; both are on disk when they return.
    Finds them in groups too.

    Everything raises LedgerUnavailable when the database does not answer in time.
    """

    def __init__(
        self, database: Database, settings: LedgerSettings, clock: Clock, metrics: Metrics
    ) -> None:
        self._database = database
        self._clock = clock
        self.accepting = AcceptGroup(database, wake_after_seconds=settings.wake_after_seconds)
        """For whoever commits more with a message than its row."""
        # Two groups in flight keep the disk and the parser busy at once; SQLite has one writer.
        side_by_side = 1 if database.is_sqlite else 2
        self._accepts: GroupCommit[MessageRecord, AcceptOutcome] = GroupCommit(
            self.accepting.flush,
            limit=settings.group_limit,
            concurrency=side_by_side,
            crowd=_CROWD,
            meter=meter_of(LedgerOperation.ACCEPT, metrics),
        )
        self.subscribers = Subscribers(database)
        """Whoever settles refreshes it from time to time."""
        settles: GroupCommit[Settlement, bool] = GroupCommit(
            SettleGroup(database, self.subscribers).flush,
            limit=settings.group_limit,
            concurrency=side_by_side,
            meter=meter_of(LedgerOperation.SETTLE, metrics),
        )
        self._settles = settles
        self.settle: Callable[[Settlement], asyncio.Future[bool]] = settles.submit
        """Write how a turn ended; False where it had lost its lease or someone ended it before."""
        self._finds: GroupCommit[Sought, MessageRecord | None] = GroupCommit(
            FindGroup(database).flush, limit=_FOUND_AT_ONCE, concurrency=side_by_side
        )
        self._late = LateBooking(database)
        self._tombstones = Tombstones(database)
        self._events = EndEvents(database)

    def accept(self, record: MessageRecord) -> asyncio.Future[AcceptOutcome]:
        """Put a message on disk, or say which one its idempotency key already names."""
        return self._accepts.submit(record)

    async def book_late(
        self,
        record: MessageRecord,
        attempts: Sequence[AttemptRecord],
        *,
        first_ordinal: int,
        variant: str | None = None,
    ) -> bool:
        """Add what was called for a message after its end was written, and its cost to the message;
        `variant` is of the turn that called.

        False where these ordinals of this claim were booked before: then nothing changes. Budgets
        hear of it with their next look at the ledger.
        """
        return await self._late.write(
            record,
            attempts,
            first_ordinal=first_ordinal,
            booked_at=self._clock.now(),
            variant=variant,
        )

    async def find(self, message_id: str, *, tenant_id: str | None = None) -> MessageRecord | None:
        """The message, if there is one and it is this tenant's; none that was erased."""
        found = await self.trace(message_id, tenant_id=tenant_id)
        return None if found is None or found.erased_at is not None else found

    async def trace(self, message_id: str, *, tenant_id: str | None = None) -> MessageRecord | None:
        """The same, or what is left of a message that was erased."""
        return await self._finds.submit(Sought(message_id, tenant_id))

    async def cancel(self, message_id: str, *, tenant_id: str) -> MessageRecord | None:
        """Cancel it if it has not ended; the record as it stands then, None if there is none.

        A worker in the middle of its turn finds out with its next lease renewal, or as soon as it
        is woken under the name in `claimed_by`.
        """
        now = self._clock.now()
        async with transaction(self._database.durable) as connection:
            cancelled = await connection.execute(
                update(message)
                .where(
                    message.c.id == message_id,
                    message.c.tenant_id == tenant_id,
                    message.c.state.in_(sources_of(ResponseState.CANCELLED)),
                )
                .values(
                    state=ResponseState.CANCELLED, finished_at=now, lease_until=None, wake_at=None
                )
            )
            row = (
                await connection.execute(
                    select(*RECORD_COLUMNS).where(
                        message.c.id == message_id, message.c.tenant_id == tenant_id
                    )
                )
            ).one_or_none()
            if row is not None and row.state is ResponseState.CANCELLED:
                await connection.execute(_close_handoff(message_id, now))
            if cancelled.rowcount:
                ended = EndedMessage(message_id, tenant_id, ResponseState.CANCELLED)
                await self._events.add(connection, [ended], now=now)
        return None if row is None else record_of(row)

    async def delete(self, message_id: str, *, tenant_id: str) -> bool:
        """Forget an ended message and its answer; what was paid for stays booked.

        False if there is none; raises Conflict while it has not ended.
        """
        async with transaction(self._database.durable) as connection:
            state = await connection.scalar(
                select(message.c.state).where(
                    message.c.id == message_id,
                    message.c.tenant_id == tenant_id,
                    message.c.erased_at.is_(None),
                )
            )
            if state is None:
                return False
            if not state.is_terminal:
                raise Conflict(f"The response is {state}. Cancel it, then delete it.")
            await self._tombstones.lay(connection, [message_id], now=self._clock.now())
        return True

    async def mark_fetched(self, message_id: str) -> None:
        """Note that the caller of an unstored message has its end; nothing while it has none."""
        async with transaction(self._database.relaxed) as connection:
            await connection.execute(
                update(message)
                .where(
                    message.c.id == message_id,
                    message.c.store.is_(False),
                    message.c.state.in_(TERMINAL),
                )
                .values(replied_at=self._clock.now())
            )

    async def mark_replied(self, message_id: str) -> None:
        """Note that the answer went to its producer's queue; forgotten, it is sent once more."""
        async with transaction(self._database.relaxed) as connection:
            await connection.execute(
                update(message)
                .where(message.c.id == message_id)
                .values(replied_at=self._clock.now())
            )

    async def close(self) -> None:
        """Write what waits; the database itself belongs to whoever opened it."""
        await self._accepts.close()
        await self._settles.close()
        await self._finds.close()


def _close_handoff(message_id: str, now: datetime) -> Update:
    return (
        update(handoff)
        .where(handoff.c.message_id == message_id, handoff.c.state == HandoffState.OPEN)
        .values(state=HandoffState.CLOSED, answered_at=now)
    )
