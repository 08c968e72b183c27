"""The renewing of a worker's leases: in time, and at once where a door has cancelled a message."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from shared.persistence.ledger.claiming import ClaimGroup
from shared.replies.wakeups import Wakeups
from shared.resilience.periodic import repeat, running
from workers.leases import Leases

RENEWALS_PER_LEASE: Final = 5
"""A few may fail before a lease runs out."""


@asynccontextmanager
async def kept_leases(
    claims: ClaimGroup, wakeups: Wakeups, *, worker: str, lease_seconds: float
) -> AsyncIterator[Leases]:
    """Leases that are renewed in time, and at once when somebody wakes `worker` by its name.

    A door does so that has cancelled what this worker holds.
    """
    leases, seconds = Leases(claims), lease_seconds / RENEWALS_PER_LEASE
    async with wakeups.listen(worker) as news:
        # The first at once: from then on the dispatcher reckons with this worker.
        role = repeat("leases", leases.renew, every_seconds=seconds, first_seconds=0, sooner=news)
        async with running(role):
            yield leases
