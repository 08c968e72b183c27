"""Claims and leases: who works on a message, and until when we believe it.

Relaxed commits: a claim that a database crash forgets costs at most a repeated call, because the
attempt number fences the terminal write.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, or_, update
from sqlalchemy.exc import DBAPIError

from shared.clock import Clock
from shared.messages.record import MessageRecord
from shared.messages.state import ResponseState
from shared.persistence.engine import Database
from shared.persistence.id_list import IdList
from shared.persistence.statements import (
    RECORD_COLUMNS,
    readable,
    record_of,
    transaction,
)
from shared.persistence.tables import message
from shared.storable_text import is_storable


@dataclass(frozen=True, slots=True)
class Lease:
    """A message that a worker holds, under the attempt it holds it by."""

    message_id: str
    attempt: int


class ClaimGroup:
    """Takes a group of messages for one worker in one statement."""

    def __init__(
        self, database: Database, clock: Clock, *, worker: str, lease_seconds: float
    ) -> None:
        self._engine = database.relaxed
        self._clock = clock
        self._lease = timedelta(seconds=lease_seconds)
        self._wanted = IdList(database.relaxed.dialect)
        self._claim = (
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
                lease_until=bindparam("until"),
            )
            .returning(*RECORD_COLUMNS)
        )
        self._renew = (
            update(message)
            .where(
                self._wanted.holds(message.c.id),
                message.c.state == ResponseState.IN_PROGRESS,
                message.c.claimed_by == worker,
            )
            .values(lease_until=bindparam("until"))
            .returning(message.c.id, message.c.attempt)
        )

    async def flush(self, message_ids: list[str]) -> Sequence[MessageRecord | BaseException | None]:
        """The record of each message that was there to take, in order.

        The same id twice in a group is given once; raises LedgerUnavailable. A message that cannot
        be claimed, or whose row cannot be read, costs its neighbours nothing.
        """
        # What was never accepted cannot be in the ledger, and no database takes it as a value.
        ids = [message_id for message_id in message_ids if is_storable(message_id)]
        now = self._clock.now()
        values = self._wanted.parameters(ids) | {"now": now, "until": now + self._lease}
        try:
            async with transaction(self._engine) as connection:
                claimed = await connection.execute(self._claim, values)
                taken = {row.id: record_of(row) for row in readable(claimed)}
        except DBAPIError as error:
            if len(message_ids) == 1:
                return [error]
            return [(await self.flush([message_id]))[0] for message_id in message_ids]
        return [taken.pop(message_id, None) for message_id in message_ids]

    async def renew(self, leases: Sequence[Lease]) -> set[Lease]:
        """Extend the leases; what is missing from the answer is lost: cancelled, or taken away."""
        if not leases:
            return set()
        wanted = self._wanted.parameters([lease.message_id for lease in leases])
        async with transaction(self._engine) as connection:
            rows = await connection.execute(
                self._renew, wanted | {"until": self._clock.now() + self._lease}
            )
            return {Lease(row.id, row.attempt) for row in rows} & set(leases)

    async def release(
        self, lease: Lease, *, not_before: datetime | None = None, fault: str | None = None
    ) -> None:
        """Give a message back to the queue, if it is still held under this attempt.

        `fault` names what went wrong in its turn; the next claim finds it as `error_message`.
        """
        async with transaction(self._engine) as connection:
            await connection.execute(
                update(message)
                .where(
                    message.c.id == lease.message_id,
                    message.c.attempt == lease.attempt,
                    message.c.state == ResponseState.IN_PROGRESS,
                )
                .values(
                    state=ResponseState.QUEUED,
                    lease_until=None,
                    not_before=not_before,
                    wake_at=not_before or self._clock.now(),
                    error_message=fault,
                )
            )
