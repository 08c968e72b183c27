"""The leases of one worker process: all of its turns renewed in one statement."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from shared.errors import LedgerUnavailable
from shared.messages.record import MessageRecord
from shared.persistence.ledger.claiming import ClaimGroup, Lease
from shared.telemetry.logs import get_logger


class LeaseLost(Exception):
    """The message was cancelled, or was given to another worker: this turn has no say any more."""


class Leases:
    """Keeps what this process holds, and stops a turn whose message it holds no longer.

    `renew_seconds` is a fraction of the lease, so that a few renewals may fail before it runs out.
    """

    def __init__(self, claims: ClaimGroup, *, renew_seconds: float) -> None:
        self._claims = claims
        self._renew_seconds = renew_seconds
        self._turns: dict[Lease, asyncio.Task[object]] = {}
        self._lost: set[Lease] = set()
        self._log = get_logger(__name__)

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

    async def renew_forever(self) -> None:
        """Renew until cancelled."""
        while True:
            await asyncio.sleep(self._renew_seconds)
            await self._renew()

    async def _renew(self) -> None:
        mine = list(self._turns)
        try:
            still = await self._claims.renew(mine)
        except LedgerUnavailable as error:
            # Nothing is known; the fence protects the terminal write if the lease has run out.
            self._log.warning("lease_renewal_failed", code=error.code, turns=len(mine))
            return
        for lease in mine:
            if lease not in still and lease in self._turns:
                self._lost.add(lease)
                self._turns[lease].cancel()
