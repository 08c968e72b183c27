"""What was handed to providers as batches of their own: taken from the queue, looked at, ended.

A batch holds its messages as a worker does, under its id and a lease that ends when they must be
answered otherwise: whoever dies with it, the ordinary sweep has them queued again in time.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import delete, insert, not_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.batches.provider_batch import (
    DUE,
    ENQUEUED,
    FORGET,
    HOLDS,
    TOOK,
    WAITING,
    ProviderBatch,
    WaitingMessage,
    batch_of_row,
    held_by,
    queued_again,
)
from shared.batches.provider_tables import NOT_ENDED, HandedOverState, provider_batch
from shared.batches.tables import IN_CANCELLING_BATCH
from shared.clock import Clock
from shared.messages.record import MessageRecord
from shared.messages.state import ResponseState
from shared.persistence.bulk_parameters import IdList
from shared.persistence.engine import Database
from shared.persistence.statements import (
    RECORD_COLUMNS,
    readable,
    reading,
    record_of,
    transaction,
)
from shared.persistence.tables import message, worker_lease

_LEASE_GRACE: Final = timedelta(seconds=60)
"""Who leads takes messages back first; the sweep does where nobody leads."""
_KEPT: Final = timedelta(days=30)
_LEARNT_FROM: Final = 200


class ProviderBatchBook:
    """Every statement of one transaction changes all that belongs together; each may be repeated.

    Everything raises LedgerUnavailable.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._durable, self._relaxed = database.durable, database.relaxed
        self._clock = clock
        self._ids = IdList(database.durable.dialect)
        self._named = self._ids.holds(message.c.id)

    async def waiting(self, limit: int, *, deadline_after: datetime) -> list[WaitingMessage]:
        """Queued messages of the batch lane, the oldest first."""
        bounds = {"limit": limit, "after": deadline_after}
        async with reading(self._relaxed) as connection:
            rows = [*readable(await connection.execute(WAITING, bounds))]
        return [
            WaitingMessage(row.id, row.accepted_at, row.deadline, row.estimated_tokens)
            for row in rows
        ]

    async def claim(self, batch: ProviderBatch, ids: Sequence[str]) -> list[MessageRecord]:
        """Put the batch on record with those of the messages that were still there to take."""
        taken = update(message).where(
            self._named,
            message.c.state == ResponseState.QUEUED,
            not_(IN_CANCELLING_BATCH),
        )
        async with transaction(self._durable) as connection:
            await self._add(connection, batch)
            rows = await connection.execute(
                taken.values(
                    state=ResponseState.IN_PROGRESS,
                    attempt=message.c.attempt + 1,
                    claimed_at=self._clock.now(),
                    claimed_by=batch.id,
                    lease_until=None,
                ).returning(*RECORD_COLUMNS),
                self._ids.parameters(ids),
            )
            return [record_of(row) for row in readable(rows)]

    async def split(self, batch_id: str, other: ProviderBatch, ids: Sequence[str]) -> None:
        """Let another batch have these of its messages."""
        async with transaction(self._durable) as connection:
            await self._add(connection, other)
            await connection.execute(
                held_by(batch_id).where(self._named).values(claimed_by=other.id),
                self._ids.parameters(ids),
            )

    async def pack(self, batch_id: str, *, model: str, requests: int, tokens: int) -> None:
        """Note what it has come to."""
        packed = {"model": model[:128], "requests": requests, "tokens": tokens}
        await self._change(batch_id, (HandedOverState.PACKED,), packed)

    async def submitted(self, batch_id: str, remote_id: str, *, look_at: datetime) -> bool:
        """The provider has it; False where it was taken back meanwhile."""
        now = self._clock.now()
        known = {"remote_id": remote_id, "submitted_at": now, "look_at": look_at}
        changed = known | {"state": HandedOverState.SUBMITTED}
        return await self._change(batch_id, (HandedOverState.PACKED,), changed)

    async def postpone(self, batch_id: str, *, look_at: datetime) -> None:
        """Look at it again at that time."""
        looked = {"look_at": look_at, "looks": provider_batch.c.looks + 1}
        await self._change(batch_id, (*HandedOverState,), looked)

    async def due(self, limit: int) -> list[ProviderBatch]:
        """Those that are to be looked at, or taken back, by now."""
        async with reading(self._relaxed) as connection:
            bounds = {"limit": limit, "now": self._clock.now()}
            rows = await connection.execute(DUE, bounds)
            return [batch_of_row(row) for row in readable(rows)]

    async def records(self, ids: Sequence[str]) -> dict[str, MessageRecord]:
        """The messages, in whatever state."""
        query = select(*RECORD_COLUMNS).where(self._named)
        async with reading(self._relaxed) as connection:
            rows = await connection.execute(query, self._ids.parameters(ids))
            return {row.id: record_of(row) for row in readable(rows)}

    async def give_back(self, batch_id: str, ids: Sequence[str]) -> list[str]:
        """Let these of its messages be queued again, as they waited before; the ids of those."""
        async with transaction(self._durable) as connection:
            back = queued_again(batch_id, now=self._clock.now(), is_urgent=False).where(self._named)
            rows = await connection.execute(back.returning(message.c.id), self._ids.parameters(ids))
            return [*rows.scalars()]

    async def holds_any(self, batch_id: str) -> bool:
        """Whether any message still waits for it."""
        async with reading(self._relaxed) as connection:
            held = await connection.execute(HOLDS, {"batch": batch_id})
            return held.first() is not None

    async def pull(self, batch_id: str) -> list[str]:
        """Take all of its messages back, to be answered at once; the ids of those."""
        return await self._finish(batch_id, {"state": HandedOverState.PULLED}, is_urgent=True)

    async def end(self, batch_id: str, *, reason: str | None = None) -> list[str]:
        """It has ended, and counts no more; what it still held is queued again: the ids of those.

        Without a reason it ended as it should, and says how long such a batch takes.
        """
        ended = {"state": HandedOverState.ENDED, "ended_at": self._clock.now(), "reason": reason}
        return await self._finish(batch_id, ended, is_urgent=False)

    async def enqueued_tokens(self, provider: str) -> int:
        """What lies at the provider now, by our estimates."""
        async with reading(self._relaxed) as connection:
            return int(await connection.scalar(ENQUEUED, {"provider": provider}) or 0)

    async def took(self, provider: str) -> list[tuple[int, float]]:
        """Requests and seconds of its last batches that ended as they should."""
        bounds = {"provider": provider, "limit": _LEARNT_FROM}
        async with reading(self._relaxed) as connection:
            rows = await connection.execute(TOOK, bounds)
            return [
                (row.requests, (row.ended_at - row.submitted_at).total_seconds())
                for row in readable(rows)
            ]

    async def forget_old(self) -> None:
        """Leave out what ended long ago."""
        async with transaction(self._relaxed) as connection:
            await connection.execute(FORGET, {"before": self._clock.now() - _KEPT})

    async def _add(self, connection: AsyncConnection, batch: ProviderBatch) -> None:
        await connection.execute(insert(provider_batch), msgspec.structs.asdict(batch))
        lease = {"worker": batch.id, "lease_until": batch.pull_at + _LEASE_GRACE}
        await connection.execute(insert(worker_lease), lease)

    async def _change(
        self, batch_id: str, sources: Sequence[HandedOverState], values: dict[str, Any]
    ) -> bool:
        async with transaction(self._durable) as connection:
            changed = await connection.execute(
                update(provider_batch)
                .where(provider_batch.c.id == batch_id, provider_batch.c.state.in_(sources))
                .values(values)
                .returning(provider_batch.c.id)
            )
            return changed.first() is not None

    async def _finish(self, batch_id: str, values: dict[str, Any], *, is_urgent: bool) -> list[str]:
        back = queued_again(batch_id, now=self._clock.now(), is_urgent=is_urgent)
        async with transaction(self._durable) as connection:
            await connection.execute(
                update(provider_batch)
                .where(provider_batch.c.id == batch_id, text(NOT_ENDED))
                .values(values)
            )
            rows = await connection.execute(back.returning(message.c.id))
            await connection.execute(delete(worker_lease).where(worker_lease.c.worker == batch_id))
            return [*rows.scalars()]
