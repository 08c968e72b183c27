"""Claims and leases: who works on a message, and until when we believe it.

Relaxed commits: a claim that a database crash forgets costs at most a repeated call, because the
attempt number fences the terminal write.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, or_, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import ClauseElement

from shared.clock import Clock
from shared.messages.record import MessageRecord
from shared.messages.state import ResponseState
from shared.persistence.bulk_parameters import IdList
from shared.persistence.columns import StoredColumns
from shared.persistence.engine import Database
from shared.persistence.ledger.message_states import MessageStates
from shared.persistence.ledger.records import TurnTab
from shared.persistence.ledger.worker_lease import Lease, WorkerLease, WorkerOffer
from shared.persistence.prepared.constant_text import ConstantText
from shared.persistence.statements import RECORD_COLUMNS, record_of
from shared.persistence.tables import message
from shared.storable_text import is_storable

if TYPE_CHECKING:
    from shared.persistence.ledger.held.running_charges import RunningCharges


_WITHOUT_DISPATCHER: Final = timedelta(seconds=30)


class ClaimGroup:
    """Takes a group of messages for one worker in one statement."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        worker: str,
        lease_seconds: float,
        offer: WorkerOffer | None = None,
    ) -> None:
        """`offer` tells the dispatcher what the worker can hold."""
        self._engine, self._durable = database.relaxed, database.durable
        self._clock = clock
        self._worker_lease = WorkerLease(
            database, clock, worker=worker, lease_seconds=lease_seconds, offer=offer
        )
        self._running_charges: RunningCharges | None = None
        self._states = MessageStates(database)
        self._wanted = IdList(database.relaxed.dialect)
        self._claim = ConstantText(self._taking(worker), database.relaxed.dialect)
        self._records = StoredColumns(RECORD_COLUMNS, database.relaxed.dialect)
        self._road = database.roads.relaxed

    def _taking(self, worker: str) -> ClauseElement:
        return (
            update(message)
            .where(
                self._wanted.holds(message.c.id),
                message.c.state == ResponseState.QUEUED,
                or_(message.c.not_before.is_(None), message.c.not_before <= bindparam("now")),
            )
            .values(
                state=ResponseState.IN_PROGRESS,
                attempt=message.c.attempt + 1,
                claimed_at=bindparam("now"),
                claimed_by=worker,
                lease_until=None,
            )
            .returning(*RECORD_COLUMNS)
        )

    async def flush(self, message_ids: list[str]) -> Sequence[MessageRecord | BaseException | None]:
        """The record of each message that was there to take, in order.

        The same id twice in a group is given once; raises LedgerUnavailable. A message that cannot
        be claimed, or whose row cannot be read, costs its neighbours nothing.
        """
        # What was never accepted cannot be in the ledger, and no database takes it as a value.
        ids = [message_id for message_id in message_ids if is_storable(message_id)]
        await self._worker_lease.extend_in_time()
        values = self._wanted.parameters(ids) | {"now": self._clock.now()}
        try:
            rows = await self._road.rows(self._claim.text, self._claim.values(values))
        except DBAPIError as error:
            if len(message_ids) == 1:
                return [error]
            return [(await self.flush([message_id]))[0] for message_id in message_ids]
        records = map(record_of, self._records.readable(rows))
        taken = {record.id: record for record in records}
        return [taken.pop(message_id, None) for message_id in message_ids]

    async def has_failed(self, message_id: str) -> bool:
        """Whether a message that was not there to take has failed; raises LedgerUnavailable."""
        standing = (await self._states.of([message_id])).get(message_id)
        return standing is not None and standing.state is ResponseState.FAILED

    async def renew(self, leases: Sequence[Lease]) -> set[Lease]:
        """Extend them all in one row; what is missing from the answer is lost: cancelled, or taken.

        What the ledger has as this worker's and is not among them goes back after a lease.
        """
        await self._worker_lease.extend()
        mine, held = {*leases}, await self._worker_lease.held()
        await self._worker_lease.let_go(held - mine)
        return held & mine

    async def charge(self, tabs: Sequence[TurnTab], now: float) -> None:
        """Charge turns for what they may have used up to `now`, on their event loop's clock."""
        if self._running_charges is None:
            from shared.persistence.ledger.held.running_charges import RunningCharges

            self._running_charges = RunningCharges(self._engine, self._clock)
        await self._running_charges.charge(tabs, now)

    async def put_back(self, record: MessageRecord, *, units: float | None) -> None:
        """Hold a message anew for the dispatcher, if it is still held under this attempt; `units`
        are what its turn used and was not charged. Without a dispatcher it waits a little."""
        from shared.persistence.ledger.held.putting_back import no_model, put_back
        from shared.persistence.ledger.held.queueing_again import queue_again

        now = self._clock.now()
        if units is not None:
            await put_back(self._durable, record, units=units, now=now)
            return
        note = no_model(now, until=now + _WITHOUT_DISPATCHER)
        await queue_again(self._engine, Lease(record.id, record.attempt), note)

    async def release(
        self,
        lease: Lease,
        *,
        not_before: datetime | None = None,
        fault: str | None = None,
        why: str = "",
    ) -> None:
        """Give a message back to the queue, if it is still held under this attempt.

        `fault` names what went wrong in its turn; the next claim finds it as `error_message`.
        `why` is kept for who asks why it waited.
        """
        from shared.persistence.ledger.held.queueing_again import broken_off, queue_again

        note = broken_off(why, now=self._clock.now(), until=not_before)
        await queue_again(self._engine, lease, note, fault=fault)
