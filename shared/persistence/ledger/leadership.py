"""Leadership: of all worker processes one does the round, and the others wait for their turn."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from shared.errors import LedgerUnavailable
from shared.persistence.ledger.role_leases import RoleLease

Round = Callable[[], Awaitable[object]]


class LedRound:
    """A round that is done by whoever holds its lease; raises what it raises, or Unavailable."""

    def __init__(self, lease: RoleLease, work: Round) -> None:
        self._lease = lease
        self._work = work

    async def __call__(self) -> None:
        """Do the round, or nothing while another process leads."""
        if await self._lease.take():
            await self._work()


@asynccontextmanager
async def led(lease: RoleLease, work: Round) -> AsyncIterator[LedRound]:
    """The round under that lease, which is given back at the end so that nobody waits for it."""
    try:
        yield LedRound(lease, work)
    finally:
        with suppress(LedgerUnavailable):
            await lease.give_back()
