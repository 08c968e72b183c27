"""The leases of one worker process: all of its turns renewed in one statement."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from shared.messages.record import MessageRecord
from shared.persistence.ledger.claiming import ClaimGroup
from shared.persistence.ledger.worker_lease import Lease


class LeaseLost(Exception):
    """The message was cancelled, or was given to another worker: this turn has no say any more."""


class Leases:
    """Keeps what this process holds, and stops a turn whose message it holds no longer."""

    def __init__(self, claims: ClaimGroup) -> None:
        self._claims = claims
        self._turns: dict[Lease, asyncio.Task[object]] = {}
        self._lost: set[Lease] = set()

    @asynccontextmanager
    async def held(self, record: MessageRecord) -> AsyncIterator[None]:
        """Hold the message's lease; raises LeaseLost inside as soon as it is known to be gone."""
        lease = Lease(record.id, record.attempt)
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a lease is held by a task")
        self._turns[lease] = task
        try:
            yield
        except asyncio.CancelledError:
            if lease in self._lost and task.uncancel() == 0:
                raise LeaseLost(record.id) from None
            raise
        finally:
            self._turns.pop(lease, None)
            self._lost.discard(lease)

    async def release(
        self,
        record: MessageRecord,
        *,
        not_before: datetime | None = None,
        fault: str | None = None,
    ) -> None:
        """Give a message back to the queue at once; raises LedgerUnavailable."""
        lease = Lease(record.id, record.attempt)
        await self._claims.release(lease, not_before=not_before, fault=fault)

    async def renew(self) -> None:
        """Renew all of them, and stop the turns of those that are gone.

        Raises LedgerUnavailable: nothing is known then, and the fence protects the terminal write
        if the lease has run out.
        """
        mine = list(self._turns)
        still = await self._claims.renew(mine)
        for lease in mine:
            if lease not in still and lease in self._turns:
                self._lost.add(lease)
                self._turns[lease].cancel()
